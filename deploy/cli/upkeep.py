"""Keeping the stores equal."""

import asyncio

import typer
from rich.progress import Progress
from rich.table import Table

from deploy.cli.options import owner_dsn, redis_cluster, redis_url, topic_prefix
from deploy.cli.say import AsJson, answer, err, explained, out
from deploy.jobs.rebuild import rebuild_metrics

rebuild = typer.Typer(no_args_is_help=True)


@rebuild.callback()
def _rebuild() -> None:
    """What can be made anew from Postgres."""


@rebuild.command("metrics")
def metrics(as_json: AsJson = False) -> None:
    """Build the live cells in Redis anew from the minutes in Postgres; services may run on."""
    dsn, url = owner_dsn(), redis_url()
    next_step = "check ASSAY_POSTGRES_DSN and ASSAY_REDIS_URL; run it again, it begins anew"
    with (
        explained("The live metrics were not rebuilt.", next_step),
        Progress(console=err, transient=True) as progress,
    ):
        bar = progress.add_task("partitions", total=None)
        lines = asyncio.run(
            rebuild_metrics(
                dsn,
                url,
                topic_prefix(),
                cluster=redis_cluster(),
                tell=lambda done, total: progress.update(bar, completed=done, total=total),
            )
        )
    if as_json:
        answer([line._asdict() for line in lines], as_json=True, text="")
        return
    table = Table("topic", "partition", "goes on at", "minutes", "hours", "identities")
    for line in lines:
        table.add_row(*map(str, line))
    out.print(table)
