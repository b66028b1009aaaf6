-- Tests that ended long ago leave the gateways' copies, and a step that cannot be told holds up none.

SET ROLE assay_owner;

CREATE INDEX ab_tests_by_end ON ab_tests (ended_at);

-- What units are assigned by. `changed_ab_tests` stays for gateways of before.
CREATE FUNCTION assigning_ab_tests(since timestamptz, kept_for interval) RETURNS SETOF ab_tests
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT * FROM public.ab_tests
     WHERE (since IS NULL OR updated_at >= since)
       AND (ended_at IS NULL OR ended_at > now() - kept_for)
     ORDER BY updated_at
$$;
REVOKE ALL ON FUNCTION assigning_ab_tests(timestamptz, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION assigning_ab_tests(timestamptz, interval) TO svc_api;

-- Why no broker will ever take a step: it stays in the history, and is told when this is null again.
ALTER TABLE ab_test_steps ADD COLUMN refusal text CHECK (length(refusal) <= 512);
GRANT UPDATE (refusal) ON ab_test_steps TO svc_api;

DROP INDEX ab_test_steps_untold;
CREATE INDEX ab_test_steps_untold ON ab_test_steps (occurred_at, event_id)
    WHERE published_at IS NULL AND refusal IS NULL;
CREATE OR REPLACE FUNCTION untold_ab_test_steps(most integer)
RETURNS TABLE (tenant_id text, event_id uuid, test_id uuid, occurred_at timestamptz, body jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT s.tenant_id, s.event_id, s.test_id, s.occurred_at, s.body FROM public.ab_test_steps AS s
     WHERE s.published_at IS NULL AND s.refusal IS NULL ORDER BY s.occurred_at, s.event_id LIMIT most
$$;

RESET ROLE;
