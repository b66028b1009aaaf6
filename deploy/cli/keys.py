"""API keys: which there are, and their ends."""

import asyncio
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli.auditing import recorder
from deploy.cli.options import owner_dsn
from deploy.cli.say import AsJson, answer, explained, out
from deploy.jobs.key_care import list_keys, revoke_key, rotate_key
from services.gateway.domain.keys import DAY_S, LONGEST_OVERLAP_S, RotationWanted
from shared.clock import utc_now

Key = Annotated[str, typer.Argument(help="Its id, or what it begins with: assay_abcdefghijkl.")]
COLUMNS = ("tenant_id", "prefix", "name", "role", "state", "expires_at", "last_used_at")


def list_command(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    as_json: AsJson = False,
) -> None:
    """List API keys, newest first, ended ones too; never their secrets."""
    with explained("The keys were not listed.", "check ASSAY_POSTGRES_DSN; run `assay migrate`"):
        found = asyncio.run(list_keys(owner_dsn(), tenant, utc_now()))
    if as_json:
        answer(found, as_json=True, text="")
        return
    table = Table(*COLUMNS)
    for one in found:
        table.add_row(*(_cell(one[name]) for name in COLUMNS))
    out.print(table)


def revoke(
    key: Key,
    force: Annotated[
        bool, typer.Option("--force", help="Also the tenant's last one that manages keys.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Revoke an API key; within a minute no gateway takes it."""
    with explained("The key was not revoked.", "see `assay keys list`"):
        done = asyncio.run(revoke_key(owner_dsn(), key, utc_now(), recorder(), force=force))
    answer(done, as_json=as_json, text=f"{done['prefix']} of {done['tenant_id']} is revoked.")


def rotate(
    key: Key,
    overlap_s: Annotated[
        int, typer.Option(min=0, max=LONGEST_OVERLAP_S, help="How long the old key goes on (s).")
    ] = DAY_S,
    as_json: AsJson = False,
) -> None:
    """Replace an API key. The new one is shown once and cannot be read again."""
    with explained("The key was not rotated.", "see `assay keys list`"):
        wanted = RotationWanted(overlap_s=overlap_s)
        made = asyncio.run(rotate_key(owner_dsn(), key, utc_now(), wanted, recorder()))
    answer(made, as_json=as_json, text=made["key"])


def _cell(value: Any) -> str:
    return "-" if value is None else str(value)
