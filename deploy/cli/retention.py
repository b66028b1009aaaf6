"""What has been kept long enough, on the command line."""

import asyncio
from typing import Annotated

import typer
from rich.progress import Progress

from deploy.cli.auditing import audited
from deploy.cli.options import owner_dsn
from deploy.cli.say import AsJson, answer, err, explained
from deploy.jobs import retention as jobs

NEXT = "check ASSAY_POSTGRES_DSN; run it again, it goes on where it was"

retention = typer.Typer(no_args_is_help=True)


@retention.callback()
def _retention() -> None:
    """How long data is kept."""


@retention.command("run")
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; delete nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let go of what every tenant has kept long enough, now; services do so every hour."""
    with (
        explained("Not everything was let go of.", NEXT),
        Progress(console=err, transient=True) as progress,
    ):
        bar = progress.add_task("looking", total=None)
        if dry_run:
            done = asyncio.run(jobs.preview(owner_dsn()))
        else:

            def tell(what: str, gone: int) -> None:
                progress.update(bar, description=what, advance=gone)

            with audited("retention.run", "installation"):
                done = asyncio.run(jobs.run(owner_dsn(), tell))
    answer(done._asdict(), as_json=as_json, text=_said(done, dry_run=dry_run))


def _said(done: jobs.Went, *, dry_run: bool) -> str:
    named = {
        "whole days": done.days,
        "operations": done.operations,
        "feedback": done.feedback,
        "dead letters": done.dead_letters,
        "minutes": done.minutes,
    }
    parts = [f"{count:,} {what}" for what, count in named.items() if count]
    if not parts:
        return "Nothing has been kept long enough."
    return f"{'Would go' if dry_run else 'Let go of'}: {', '.join(parts)}."
