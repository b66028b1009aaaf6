"""Set-up: schema, topics, keys."""

import asyncio
import re
from dataclasses import asdict
from typing import Annotated

import typer

from deploy.cli.auditing import recorder
from deploy.cli.options import (
    database_named,
    kafka,
    owner_dsn,
    signer,
    topic_partitions,
    topic_prefix,
)
from deploy.cli.say import AsJson, answer, err, explained, fail
from deploy.jobs.acls import acls
from deploy.jobs.auditing import record_proof_key
from deploy.jobs.keys import create_key
from deploy.jobs.topics import create_topics
from deploy.migrations import migrate
from shared.events.base import TENANT_ID

topics = typer.Typer(no_args_is_help=True)
keys = typer.Typer(no_args_is_help=True)


@topics.callback()
def _topics() -> None:
    """Kafka topics."""


@keys.callback()
def _keys() -> None:
    """API keys."""


def migrate_command(as_json: AsJson = False) -> None:
    """Bring the database to the newest schema."""
    dsn = owner_dsn()
    next_step = "check ASSAY_POSTGRES_DSN and its rights"
    with explained("The schema was not migrated.", next_step), err.status("migrating …"):
        before, after = asyncio.run(migrate(dsn))
    text = f"schema at {after}" + (" already" if before == after else f", was {before or 'empty'}")
    answer({"before": before, "after": after}, as_json=as_json, text=text)


@topics.command("create")
def create(as_json: AsJson = False) -> None:
    """Create the topics and their dead letter topics; what is there stays."""
    next_step = "check ASSAY_KAFKA_BOOTSTRAP_SERVERS"
    with explained("The topics were not created.", next_step), err.status("creating topics …"):
        made = asyncio.run(create_topics(kafka().connection, topic_prefix(), topic_partitions()))
    lines = [
        f"{one.name}: {one.partitions} partitions, {'created' if one.created else 'was there'}"
        for one in made
    ]
    answer([asdict(one) for one in made], as_json=as_json, text="\n".join(lines))


@topics.command("acls")
def list_acls(
    principals: Annotated[
        str, typer.Option(help="How a principal is named: {} stands for the program.")
    ] = "User:{}",
    as_json: AsJson = False,
) -> None:
    """Print the rights that each program needs in Kafka, as commands; changes nothing.

    With mTLS a principal is its certificate's name: --principals 'User:CN={}'.
    """
    found = [
        one._replace(principal=principals.replace("{}", one.principal))
        for one in acls(topic_prefix())
    ]
    text = "\n".join(one.command() for one in found)
    answer([one._asdict() for one in found], as_json=as_json, text=text)


@keys.command("create")
def create_api_key(
    role: Annotated[str, typer.Option(help="agent, viewer, analyst, operator or admin")],
    tenant: Annotated[str, typer.Option(help="The tenant; made if there is none yet.")],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "made by assay keys create",
    as_json: AsJson = False,
) -> None:
    """Make an API key. It is shown once and cannot be read again."""
    with explained("No key was made.", "run `assay migrate` first, and check role and tenant"):
        audit, dsn = recorder(), owner_dsn()
        made = asyncio.run(create_key(dsn, tenant=tenant, role=role, name=name, audit=audit))
    answer(asdict(made), as_json=as_json, text=made.key)


@keys.command("tenant-proof")
def tenant_proof(
    tenant: Annotated[str, typer.Option(help="Whose events the key is to prove.")],
    as_json: AsJson = False,
) -> None:
    """Print the key by which a tenant's own producers sign events (ASSAY_TENANT_PROOF_KEY).

    It is derived from ASSAY_EVENT_MASTER_KEY and the same each time. Whoever has it can write in
    the name of this tenant, and of no other. With ASSAY_POSTGRES_DSN the audit log is told first.
    """
    if not re.fullmatch(TENANT_ID, tenant):
        fail("There is no such key.", f"{tenant!r} is no tenant id", "see `assay keys create`")
    proofs = signer()
    if proofs is None:
        fail("There is no key.", "ASSAY_EVENT_MASTER_KEY is not set", "set it, or its _FILE")
    key = proofs.tenant_key(tenant)
    version = key.partition(".")[0]
    if database_named():
        with explained("No key was printed.", "the audit log must be told first: check Postgres"):
            asyncio.run(record_proof_key(owner_dsn(), recorder(), tenant, version))
    else:
        err.print("The audit log is not told: ASSAY_POSTGRES_DSN is not set.")
    answer({"tenant_id": tenant, "version": version, "key": key}, as_json=as_json, text=key)
