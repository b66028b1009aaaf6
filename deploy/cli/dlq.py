"""Dead letters on the command line."""

import asyncio
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from deploy.cli.auditing import audited, recorder
from deploy.cli.options import kafka, owner_dsn
from deploy.cli.say import AsJson, answer, err, explained, fail, out
from deploy.jobs import dead_letters
from deploy.jobs.dead_letters import Broker, Selection

MOST = 100_000
NEXT = "check ASSAY_POSTGRES_DSN, and run `assay migrate` on a new database"

dlq = typer.Typer(no_args_is_help=True)
Reason = Annotated[str | None, typer.Option(help="Only this reason.")]
Topic = Annotated[str | None, typer.Option(help="Only this topic.")]


@dlq.command("list")
def list_letters(
    reason: Reason = None,
    topic: Topic = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List dead letters, newest first."""
    with explained("The dead letters cannot be listed.", NEXT):
        selection = Selection(None, reason, topic)
        found = asyncio.run(dead_letters.find(owner_dsn(), selection, limit))
    lines = [dead_letters.shown(letter) for letter in found]
    if as_json:
        answer(lines, as_json=True, text="")
        return
    table = Table("key", "reason", "detail", "first seen", title=f"{len(lines)} dead letters")
    for line in lines:
        table.add_row(line["key"], line["reason"], line["detail"], line["first_seen_at"][:19])
    out.print(table)


@dlq.command()
def show(
    key: Annotated[str, typer.Argument(help="topic:partition:offset")], as_json: AsJson = False
) -> None:
    """Show one dead letter with its bytes, which the audit log is told of."""
    with explained("The dead letter cannot be shown.", NEXT):
        found = asyncio.run(dead_letters.read(owner_dsn(), key, recorder()))
    if found is None:
        fail("There is no such dead letter.", f"{key} is not stored", "see `assay dlq list`")
    value = found["record_value"]
    content = dead_letters.shown(found) | {
        "value": None if value is None else value.decode("utf-8", "backslashreplace")
    }
    text = "\n".join(f"{name}: {item}" for name, item in content.items())
    answer(content, as_json=as_json, text=text)


@dlq.command()
def redrive(
    key: Annotated[str | None, typer.Argument(help="topic:partition:offset")] = None,
    reason: Reason = None,
    topic: Topic = None,
    everything: Annotated[bool, typer.Option("--all", help="Whatever waits.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish dead letters again, with their event ids, once their cause is gone."""
    if not (key or reason or topic or everything):
        fail(
            "Nothing was sent.",
            "no dead letter was named",
            "give a key, --reason, --topic or --all",
        )
    with explained("Not everything was sent.", "run it again: what was sent is not sent twice"):
        dsn, settings = owner_dsn(), kafka()
        selection = Selection(key, reason, topic, key is None)
        with (
            audited("dead_letter.redrive_all", "dead_letter", selection._asdict()) as audit,
            Progress(console=err, disable=as_json) as progress,
        ):
            found = asyncio.run(dead_letters.find(dsn, selection, MOST))
            task = progress.add_task("redriving", total=len(found))
            to = Broker(settings.connection, settings.kafka_idempotence)
            sent = asyncio.run(
                dead_letters.redrive(
                    dsn,
                    found,
                    lambda count: progress.update(task, completed=count),
                    to,
                    audit,
                )
            )
    answer({"redriven": sent}, as_json=as_json, text=f"{sent} dead letters sent again")
