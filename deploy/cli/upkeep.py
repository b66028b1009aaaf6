"""Keeping the stores equal."""

import asyncio
from contextlib import nullcontext
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from deploy.cli.auditing import audited
from deploy.cli.options import where
from deploy.cli.say import AsJson, answer, err, explained, out
from deploy.jobs.ab_tests import recount_tests
from deploy.jobs.rebuild import rebuild_metrics
from deploy.jobs.reconcile import Reconciliation
from deploy.jobs.reconcile import reconcile as reconcile_stores
from deploy.jobs.training import compare_formulas, remake_rows
from services.feedback.domain.comparing import Comparison
from shared.codec import RETENTION

MOST_HOURS = RETENTION / timedelta(hours=1)
"""Of what is older, days may have left."""

rebuild = typer.Typer(no_args_is_help=True)


@rebuild.callback()
def _rebuild() -> None:
    """What can be made anew from Postgres."""


@rebuild.command("metrics")
def metrics(as_json: AsJson = False) -> None:
    """Build the live cells in Redis anew from the minutes in Postgres; services may run on."""
    next_step = "check ASSAY_POSTGRES_DSN and ASSAY_REDIS_URL; run it again, it begins anew"
    with (
        explained("The live metrics were not rebuilt.", next_step),
        Progress(console=err, transient=True) as progress,
    ):
        bar = progress.add_task("partitions", total=None)
        with audited("rebuild.metrics", "installation"):
            lines = asyncio.run(
                rebuild_metrics(
                    where(),
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


@rebuild.command("abtest")
def abtest(as_json: AsJson = False) -> None:
    """Count A/B tests anew from their events and mend what differs; exit 1 when anything did.

    Services may run on: all of a test is read as of one instant.
    """
    next_step = "check ASSAY_POSTGRES_DSN; run it again, what was mended stays so"
    with (
        explained("The A/B tests were not recounted.", next_step),
        Progress(console=err, transient=True) as progress,
    ):
        bar = progress.add_task("tests", total=None)
        with audited("rebuild.abtest", "installation"):
            lines = asyncio.run(
                recount_tests(
                    where(),
                    tell=lambda done, total: progress.update(bar, completed=done, total=total),
                )
            )
    if as_json:
        answer([line._asdict() for line in lines], as_json=True, text="")
    else:
        table = Table("tenant", "test", "units", "units mended", "arms mended")
        for line in lines:
            table.add_row(*map(str, line))
        out.print(table)
    if any(line.differs for line in lines):
        raise typer.Exit(1)


@rebuild.command("training")
def training(
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Two versions of the formula: only say how they differ; change nothing."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have all training rows made anew by the running services; exit 1 when some were not made."""
    next_step = "check ASSAY_POSTGRES_DSN and that a feedback service runs; run it again"
    with (
        explained("The training rows were not made anew.", next_step),
        Progress(console=err, transient=True) as progress,
    ):
        bar = progress.add_task("operations", total=None)
        if compare:
            found = asyncio.run(compare_formulas(where(), *compare))
            answer(asdict(found), as_json=as_json, text=_compared(found))
            return
        with audited("rebuild.training", "installation"):
            done = asyncio.run(
                remake_rows(
                    where(),
                    tell=lambda what, at, total: progress.update(
                        bar, description=what, completed=at, total=total
                    ),
                )
            )
    text = f"{done.operations} operations: all rows are made anew."
    if done.left:
        text = f"{done.left} notes are left and nobody takes them: does a feedback service run?"
    answer(done._asdict(), as_json=as_json, text=text)
    if done.left:
        raise typer.Exit(1)


def _compared(found: Comparison) -> str:
    lines = [
        f"{found.rows} rows at {found.at:%Y-%m-%d}: by formula {found.new}, {found.raised} weigh "
        f"more and {found.lowered} less than by {found.old}"
    ]
    if found.mean_old is not None:
        lines.append(
            f"mean weight {found.mean_old:.4f} to {found.mean_new:.4f}, "
            f"mean change {found.mean_size:.4f} either way"
        )
    lines += [f"{one.row}: {one.old:.4f} to {one.new:.4f}" for one in found.largest if one.size]
    return "\n".join(lines)


def reconcile(
    hours: Annotated[
        float, typer.Option(min=0.1, max=MOST_HOURS, help="How far back rows are counted anew.")
    ] = 24,
    check: Annotated[bool, typer.Option("--check", help="Only look; mend nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare rows, minutes and live metrics, and mend the live ones; exit 1 when they differed.

    Services may run on: everything is compared as of one record of each partition.
    """
    next_step = "check ASSAY_POSTGRES_DSN and ASSAY_REDIS_URL; run it again"
    with (
        explained("The stores were not compared.", next_step),
        Progress(console=err, transient=True) as progress,
    ):
        bar = progress.add_task("rows", total=None)
        mending = nullcontext() if check else audited("reconcile", "installation", {"hours": hours})
        with mending:
            done = asyncio.run(
                reconcile_stores(
                    where(),
                    back=timedelta(hours=hours),
                    mend=not check,
                    tell=lambda what, at, total: progress.update(
                        bar, description=what, completed=at, total=total
                    ),
                )
            )
    answer(done.as_json(), as_json=as_json, text=_summary(done))
    if not (done.equal and done.complete):
        raise typer.Exit(1)


def _summary(done: Reconciliation) -> str:
    minutes = done.recount
    lines = [
        f"{minutes.rows:,} rows, {minutes.minutes:,} minutes: {len(minutes.differences)} differ",
        f"{sum(one.cells for one in done.live):,} live cells: "
        f"{sum(len(one.differences) for one in done.live)} differ",
    ]
    for one in done.live:
        where = f"{one.partition.topic} {one.partition.partition}"
        if one.skipped:
            lines.append(f"  {where}: not compared as a whole, {one.skipped}")
        if one.differences:
            cells = f"{len(one.differences)} cells, {one.mended} of them mended"
            lines.append(f"  {where}: {one.measures} numbers differ in {cells}")
    return "\n".join(lines)
