"""What of a database could escape row level security; each function names the offenders.

`Rows` asks as a superuser. What is allowed all the same is declared here, with its reason.
"""

from tests.support.system import Rows

OWNER, GATEWAY = "assay_owner", "svc_api"
SCHEMAS = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_'"
)
OF_NO_TENANT = {
    "public.alembic_version": "which migrations ran",
    "public.consumer_fence": "positions in the log, which tenants share",
    "public.feedback_nights": "which nights' work was done",
    "public.retention_start": "when the installation begins to let go of anything",
}
# Whoever erases looks for what is left to do of all tenants.
ERASERS = {"erasures", "erasure_receipts", "erasure_events"}
MARKS = {"erased_subjects", "erased_names", "erasure_due"}
# A consumer's batch mixes tenants. Nobody reaches these roles but a service without a way in.
SEES_ALL = {
    "svc_ingest": {
        *("ai_model_operations", "dead_letters", "operation_rollup_minute", "tenants"),
        *("performance_alert_steps", "performance_alerts", "user_feedback"),
        *ERASERS,
        *MARKS,
        *("erased_events", "erased_rows_minute"),
    },
    "svc_metrics": {
        *("ai_model_operations", "alert_actions", "alert_rules", "health_limits", "tenants"),
        *("model_status_changes", "operation_rollup_minute", "performance_alerts"),
        *ERASERS,
        *("erased_events", "user_feedback"),
    },
    "svc_notify": {"notification_channels", "notification_deliveries", "silences", *ERASERS},
    "svc_abtest": {
        *("ab_arms", "ab_cells", "ab_days", "ab_events", "ab_past", "ab_past_scans", "ab_results"),
        *("ab_sketches", "ab_sums", "ab_test_steps", "ab_tests", "ab_units", "ab_waiting"),
        "ab_results_history",
        *("ai_model_operations", "user_feedback"),
        *ERASERS,
        *MARKS,
    },
    "svc_feedback": {
        *("ai_model_operations", "dataset_rows", "datasets", "feedback_analysis", "feedback_due"),
        *("feedback_operations", "model_training_data", "rater_pairs", "rater_reliability"),
        *("rater_votes", "tenants", "training_blocks", "training_changes"),
        *ERASERS,
        *MARKS,
    },
}
# With the owner's rights, for those named; what comes of them is in docs/access.md.
DEFINERS = {
    "find_api_key": {GATEWAY},
    "changed_ab_tests": {GATEWAY},
    "assigning_ab_tests": {GATEWAY},
    "untold_ab_test_steps": {GATEWAY},
    "ensure_day_partition": {"svc_ingest"},
    "audit_lock_head": {GATEWAY},
    "audit_append": {GATEWAY},
    "audit_all_heads": {GATEWAY},
    "retention_cutoffs": {"svc_ingest", "svc_feedback"},
    "ended_partitions": {"svc_ingest"},
    "drop_day_partition": {"svc_ingest"},
    "open_erasure_tasks": {GATEWAY, *SEES_ALL},
    "erasure_due_tenants": {GATEWAY, *SEES_ALL},
    "late_erasures": {GATEWAY},
    "untold_erasure_events": {GATEWAY},
    "erase_dead_letters": {GATEWAY},
    "tenant_dead_letters": {GATEWAY},
    "open_subject_exports": {GATEWAY},
    "ended_subject_exports": {GATEWAY},
}
# Whose tenant is looked up by them, and what the log itself makes unique.
UNIQUE_WITHOUT_TENANT = {"api_keys_by_id", "dead_letters_pkey"}
GRANTEE = "CASE g.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(g.grantee)::text END"
OWN = "(tenant_id = current_tenant())"


async def open_tables(rows: Rows) -> list[str]:
    """Tables and partitions whose rows are of tenants, or undeclared, without forced security."""
    found = await rows(
        f"""
        SELECT n.nspname || '.' || c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity
               AS secured, EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid
                                   AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS of_tenants
          FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND {SCHEMAS}
        """
    )
    return [
        one["name"]
        for one in found
        if not (one["secured"] if one["of_tenants"] else one["name"] in OF_NO_TENANT)
    ]


async def loose_policies(rows: Rows) -> list[str]:
    """Policies by which somebody reaches another tenant's rows and who is not declared to."""
    found = await rows("SELECT * FROM pg_policies")
    out = []
    for one in found:
        allowed = {None, OWN}
        for role in one["roles"]:
            if role == OWNER or one["tablename"] in SEES_ALL.get(role, ()):
                allowed = allowed | {"true"}
        is_shared = f"{one['schemaname']}.{one['tablename']}" in OF_NO_TENANT
        fits = {one["qual"], one["with_check"]} <= allowed and one["permissive"] == "PERMISSIVE"
        if "public" in one["roles"] or not (fits or is_shared):
            out.append(f"{one['policyname']} on {one['tablename']}")
    return out


async def open_views(rows: Rows) -> list[str]:
    """Views that show their owner's rows, and copies that no policy binds."""
    return [
        one["relname"]
        for one in await rows(
            f"""
            SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
             WHERE {SCHEMAS} AND (c.relkind IN ('m', 'f') OR c.relkind = 'v' AND NOT coalesce(
                   c.reloptions @> ARRAY['security_invoker=true'], false))
            """
        )
    ]


async def loose_functions(rows: Rows) -> list[str]:
    """Functions with their owner's rights: undeclared, open to all, or led astray by a path."""
    found = await rows(
        f"""
        SELECT p.proname AS name, pg_get_userbyid(p.proowner) AS owner, p.proconfig AS config,
               ARRAY(SELECT {GRANTEE}
                       FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS g
                      WHERE g.privilege_type = 'EXECUTE') AS may
          FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE p.prosecdef AND {SCHEMAS}
        """
    )
    return [
        one["name"]
        for one in found
        if one["owner"] != OWNER
        or set(one["may"]) - {OWNER} != DEFINERS.get(one["name"])
        or "search_path=pg_catalog, public, pg_temp" not in (one["config"] or [])
    ]


async def loose_grants(rows: Rows) -> list[str]:
    """Rights that policies do not bind: to all, on partitions, to truncate, or to hand on."""
    found = await rows(
        f"""
        SELECT n.nspname AS schema, c.relname AS name, g.privilege_type AS right, g.is_grantable,
               {GRANTEE} AS role
          FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace,
               LATERAL (SELECT * FROM aclexplode(c.relacl)
                        UNION ALL SELECT x.* FROM pg_attribute AS a, aclexplode(a.attacl) AS x
                                   WHERE a.attrelid = c.oid) AS g
         WHERE {SCHEMAS} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        """
    )
    harmless = {"SELECT", "INSERT", "UPDATE", "DELETE", "USAGE"}
    return [
        f"{one['right']} on {one['name']} to {one['role']}"
        for one in found
        if one["role"] != OWNER
        and (
            one["schema"] != "public"
            or one["role"] not in {GATEWAY, *SEES_ALL}
            or one["right"] not in harmless
            or one["is_grantable"]
        )
    ]


async def strong_roles(rows: Rows) -> list[str]:
    """Service roles that could become somebody else, or own or make what no policy binds."""
    services = [GATEWAY, *SEES_ALL]
    found = await rows(
        """
        SELECT rolname FROM pg_roles AS r WHERE rolname = ANY($1) AND (
            rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
            OR EXISTS (SELECT 1 FROM pg_auth_members AS m WHERE m.member = r.oid)
            OR EXISTS (SELECT 1 FROM pg_class AS c WHERE c.relowner = r.oid)
            OR EXISTS (SELECT 1 FROM pg_proc AS p WHERE p.proowner = r.oid)
            OR has_schema_privilege(r.oid, 'public', 'CREATE')
            OR has_schema_privilege(r.oid, 'partitions', 'USAGE'))
        """,
        services,
    )
    there = await rows("SELECT rolname FROM pg_roles WHERE rolname LIKE 'svc%'")
    undeclared = {one["rolname"] for one in there} - set(services)
    return [one["rolname"] for one in found] + sorted(undeclared)


async def shared_keys(rows: Rows) -> list[str]:
    """Unique keys and foreign keys of tenants' tables by which one tenant meets another."""
    found = await rows(
        f"""
        SELECT i.relname AS name FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
          JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
          JOIN pg_attribute AS t ON t.attrelid = c.oid AND t.attname = 'tenant_id'
         WHERE {SCHEMAS} AND x.indisunique AND x.indkey[0] <> t.attnum AND NOT c.relispartition
        UNION ALL
        SELECT k.conname FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
          JOIN pg_attribute AS t ON t.attrelid = c.oid AND t.attname = 'tenant_id'
         WHERE k.contype = 'f' AND NOT t.attnum = ANY(k.conkey)
        """
    )
    return [one["name"] for one in found if one["name"] not in UNIQUE_WITHOUT_TENANT]


WALKS = (
    *(open_tables, loose_policies, open_views, loose_functions),
    *(loose_grants, strong_roles, shared_keys),
)


async def escapes(rows: Rows) -> list[str]:
    """All of them."""
    return [f"{walk.__name__}: {one}" for walk in WALKS for one in await walk(rows)]
