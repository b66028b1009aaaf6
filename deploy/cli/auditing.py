"""How commands tell the audit log what they do."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from pydantic import SecretStr

from deploy.cli.options import owner_dsn, settings_of
from deploy.cli.say import fail
from deploy.jobs.auditing import record_alone
from shared.audit.chain import INSTALLATION, Entry
from shared.audit.keys import Keys
from shared.audit.recorder import Recorder
from shared.settings import AuditSettings

NEXT = "set ASSAY_AUDIT_KEY, ASSAY_AUDIT_KEY_FILE or ASSAY_SECRET_KEY, as the gateway has it"


class _Settings(AuditSettings):
    secret_key: SecretStr | None = None


def audit_keys() -> Keys:
    """The keys of the audit log; a command that would have to be told there ends without them."""
    settings = settings_of(_Settings)
    try:
        return settings.audit_keys(settings.secret_key)
    except ValueError as error:
        fail("This command cannot run.", str(error), NEXT)


def recorder() -> Recorder:
    """Writes to the audit log."""
    return Recorder(audit_keys())


@contextmanager
def audited(
    action: str, object_type: str, asked: Mapping[str, Any] | None = None
) -> Iterator[Recorder]:
    """Tell that something begins, before it does, and how it ended.

    For what changes more than one transaction of Postgres holds.
    """
    audit, dsn = recorder(), owner_dsn()

    def tell(**how: Any) -> None:
        done = Entry(action, object_type, INSTALLATION, None, {**(asked or {}), **how})
        asyncio.run(record_alone(dsn, audit, INSTALLATION, done))

    tell(phase="begun")
    try:
        yield audit
    except BaseException as error:
        with suppress(Exception):  # that it began is told: the error itself matters more
            tell(phase="failed", error=type(error).__name__)
        raise
    tell(phase="done")
