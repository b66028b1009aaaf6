-- Who did what, in a chain of hashes of each tenant. The key of the hashes is not in the database: its
-- users lock a chain's head here, make the hash themselves, and append; nobody can change a row.

SET ROLE assay_owner;

-- No reference to tenants: what was done outlives them. `before` and `after` are canonical JSON as
-- text, byte by byte what was hashed.
CREATE TABLE audit_log (
    tenant_id   text NOT NULL,
    sequence    bigint NOT NULL CHECK (sequence > 0),
    occurred_at timestamptz NOT NULL,
    actor       text NOT NULL,
    role        text,
    action      text NOT NULL,
    object_type text NOT NULL,
    object_id   text NOT NULL,
    before      text,
    after       text,
    request_id  text,
    key_version integer NOT NULL,
    prev_hash   bytea NOT NULL CHECK (length(prev_hash) = 32),
    row_hash    bytea NOT NULL CHECK (length(row_hash) = 32),
    PRIMARY KEY (tenant_id, sequence)
);
CREATE INDEX audit_log_by_actor ON audit_log (tenant_id, actor, sequence);
CREATE INDEX audit_log_by_action ON audit_log (tenant_id, action, sequence);
CREATE INDEX audit_log_by_object ON audit_log (tenant_id, object_type, object_id, sequence);

CREATE TABLE audit_heads (
    tenant_id text PRIMARY KEY,
    sequence  bigint NOT NULL,
    row_hash  bytea NOT NULL CHECK (length(row_hash) = 32)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_log', 'audit_heads'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I FOR SELECT TO svc_api '
                       'USING (tenant_id = current_tenant())', name);
        EXECUTE format('GRANT SELECT ON %I TO svc_api', name);
    END LOOP;
END $$;

-- The chain is the running transaction's tenant's; '*' is what belongs to no tenant, and the owner's.
CREATE FUNCTION audit_lock_head() RETURNS TABLE (sequence bigint, row_hash bytea, at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    tenant text := public.current_tenant();
BEGIN
    IF tenant IS NULL THEN
        RAISE EXCEPTION 'audit: the transaction knows no tenant';
    END IF;
    IF tenant = '*' AND NOT pg_has_role(session_user, 'assay_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'audit: only the owner acts for the installation' USING ERRCODE = '42501';
    END IF;
    INSERT INTO public.audit_heads (tenant_id, sequence, row_hash)
    VALUES (tenant, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT h.sequence, h.row_hash, clock_timestamp()
                   FROM public.audit_heads AS h WHERE h.tenant_id = tenant FOR UPDATE;
END $$;

-- A row can only follow the head, also if whoever appends has lost its mind.
CREATE FUNCTION audit_append(new_sequence bigint, new_at timestamptz, new_actor text, new_role text,
                             new_action text, new_object_type text, new_object_id text,
                             new_before text, new_after text, new_request_id text,
                             new_key_version integer, new_prev_hash bytea, new_row_hash bytea)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    head record;
BEGIN
    SELECT * INTO head FROM public.audit_lock_head();
    IF (head.sequence + 1, head.row_hash) IS DISTINCT FROM (new_sequence, new_prev_hash) THEN
        RAISE EXCEPTION 'audit: the row does not follow the head';
    END IF;
    INSERT INTO public.audit_log
    VALUES (public.current_tenant(), new_sequence, new_at, new_actor, new_role, new_action,
            new_object_type, new_object_id, new_before, new_after, new_request_id,
            new_key_version, new_prev_hash, new_row_hash);
    UPDATE public.audit_heads SET sequence = new_sequence, row_hash = new_row_hash
     WHERE tenant_id = public.current_tenant();
END $$;

-- Heads of all tenants, to be written down outside the database.
CREATE FUNCTION audit_all_heads()
RETURNS TABLE (tenant_id text, sequence bigint, row_hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT h.tenant_id, h.sequence, h.row_hash FROM public.audit_heads AS h
     WHERE h.sequence > 0 ORDER BY h.tenant_id
$$;

REVOKE ALL ON FUNCTION audit_lock_head(), audit_all_heads() FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_append(bigint, timestamptz, text, text, text, text, text, text, text, text,
                                    integer, bytea, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_lock_head(), audit_all_heads() TO svc_api;
GRANT EXECUTE ON FUNCTION audit_append(bigint, timestamptz, text, text, text, text, text, text, text, text,
                                       integer, bytea, bytea) TO svc_api;

RESET ROLE;
