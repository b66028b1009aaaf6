"""Let the services' roles log in."""

import asyncpg
from sqlalchemy.engine import make_url

from deploy.jobs.auditing import record
from shared.audit.chain import INSTALLATION, Entry
from shared.audit.recorder import Recorder

ROLE_OF = {
    "ingest": "svc_ingest",
    "metrics": "svc_metrics",
    "notify": "svc_notify",
    "abtest": "svc_abtest",
    "feedback": "svc_feedback",
    "gateway": "svc_api",
}


async def give_passwords(dsn: str, passwords: dict[str, str], audit: Recorder) -> dict[str, str]:
    """Set the password of each service's role; answers the services' own DSNs."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            for service, password in passwords.items():
                # ALTER ROLE takes no parameters; quote_literal does what they would have done.
                literal = await connection.fetchval("SELECT quote_literal($1)", password)
                await connection.execute(f"ALTER ROLE {ROLE_OF[service]} LOGIN PASSWORD {literal}")
            roles = sorted(ROLE_OF[service] for service in passwords)
            done = Entry("role.login", "role", "*", None, {"roles": roles})
            await record(connection, audit, INSTALLATION, done)
    finally:
        await connection.close()
    url = make_url(dsn)
    return {
        service: url.set(username=ROLE_OF[service], password=password).render_as_string(
            hide_password=False
        )
        for service, password in passwords.items()
    }
