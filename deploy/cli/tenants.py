"""Tenants on the command line."""

import asyncio
from typing import Annotated

import typer

from deploy.cli.auditing import recorder
from deploy.cli.options import owner_dsn
from deploy.cli.say import AsJson, answer, explained
from deploy.jobs.tenants import set_content_free

tenants = typer.Typer(no_args_is_help=True)


@tenants.callback()
def _tenants() -> None:
    """Tenants: what is kept of them."""


@tenants.command("content-free")
def content_free(
    tenant: Annotated[str, typer.Argument(help="Its id.")],
    off: Annotated[bool, typer.Option("--off", help="Keep texts again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Keep no texts of a tenant from now on; what is stored already stays."""
    with explained("Nothing was changed.", "check ASSAY_POSTGRES_DSN and the tenant's id"):
        audit, dsn = recorder(), owner_dsn()
        asyncio.run(set_content_free(dsn, tenant, is_on=not off, audit=audit))
    said = f"{tenant} keeps texts." if off else f"{tenant} keeps no texts from now on."
    answer({"tenant_id": tenant, "content_free": not off}, as_json=as_json, text=said)
