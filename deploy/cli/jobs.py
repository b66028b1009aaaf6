"""Set-up: schema, topics, keys."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from deploy.cli.options import bootstrap_servers, owner_dsn, topic_partitions, topic_prefix
from deploy.cli.say import AsJson, answer, explained
from deploy.jobs.keys import create_key
from deploy.jobs.topics import create_topics
from deploy.migrations import migrate

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
    with explained("The schema was not migrated.", "check ASSAY_POSTGRES_DSN and its rights"):
        before, after = asyncio.run(migrate(dsn))
    text = f"schema at {after}" + (" already" if before == after else f", was {before or 'empty'}")
    answer({"before": before, "after": after}, as_json=as_json, text=text)


@topics.command("create")
def create(as_json: AsJson = False) -> None:
    """Create the topics and their dead letter topics; what is there stays."""
    with explained("The topics were not created.", "check ASSAY_KAFKA_BOOTSTRAP_SERVERS"):
        made = asyncio.run(create_topics(bootstrap_servers(), topic_prefix(), topic_partitions()))
    lines = [
        f"{one.name}: {one.partitions} partitions, {'created' if one.created else 'was there'}"
        for one in made
    ]
    answer([asdict(one) for one in made], as_json=as_json, text="\n".join(lines))


@keys.command("create")
def create_api_key(
    role: Annotated[str, typer.Option(help="agent, viewer, analyst, operator or admin")],
    tenant: Annotated[str, typer.Option(help="The tenant; made if there is none yet.")],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "made by assay keys create",
    as_json: AsJson = False,
) -> None:
    """Make an API key. It is shown once and cannot be read again."""
    with explained("No key was made.", "run `assay migrate` first, and check role and tenant"):
        made = asyncio.run(create_key(owner_dsn(), tenant=tenant, role=role, name=name))
    answer(asdict(made), as_json=as_json, text=made.key)
