-- Keys are listed, made, rotated and revoked over HTTP. Hashes are read by find_api_key alone.
SET ROLE assay_owner;

-- `id` names a key to people; the id within the key itself names it to the gateway.
ALTER TABLE api_keys
    ADD COLUMN id           uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN replaced_by  uuid;
CREATE UNIQUE INDEX api_keys_by_public_id ON api_keys (tenant_id, id);
CREATE INDEX api_keys_by_time ON api_keys (tenant_id, created_at DESC, id DESC);

REVOKE SELECT ON api_keys FROM svc_api;
GRANT SELECT (tenant_id, id, key_id, name, role, permissions, created_at, created_by, expires_at, revoked_at,
              last_used_at, replaced_by) ON api_keys TO svc_api;
GRANT INSERT (tenant_id, id, key_id, name, role, permissions, secret_hash, created_by, expires_at)
    ON api_keys TO svc_api;
GRANT UPDATE (expires_at, revoked_at, last_used_at, replaced_by) ON api_keys TO svc_api;

RESET ROLE;
