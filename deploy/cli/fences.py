"""Where consumers stand, and letting them go on after an incident."""

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from deploy.cli.auditing import recorder
from deploy.cli.options import kafka, where
from deploy.cli.say import AsJson, answer, err, explained, fail, out
from deploy.jobs.fences import Group, Standing, move, rebuild_partition, standings

NEXT = "check ASSAY_POSTGRES_DSN, ASSAY_KAFKA_BOOTSTRAP_SERVERS and ASSAY_REDIS_URL"

fences = typer.Typer(no_args_is_help=True)


OfGroup = Annotated[Group, typer.Option("--group", help="Whose: ingest's with metrics beside it.")]


@fences.command("list")
def list_fences(group: OfGroup = Group.INGEST, as_json: AsJson = False) -> None:
    """Show where consumers stand in each partition, and which of them cannot go on."""
    found = _standings(group)
    if as_json:
        answer([one._asdict() for one in found], as_json=True, text="")
        return
    beside = ("metrics",) if group is Group.INGEST else ()
    table = Table("topic", "partition", group, *beside, "log begins", "log ends", "incident")
    for one in found:
        live = "-" if one.live_next_offset is None else str(one.live_next_offset)
        place = (one.topic, str(one.partition), str(one.next_offset), *((live,) if beside else ()))
        table.add_row(*place, str(one.log_start), str(one.log_end), _incident(one))
    out.print(table)


@fences.command("move")
def move_fence(
    topic: Annotated[str, typer.Argument(help="As `assay fences list` shows it.")],
    partition: Annotated[int, typer.Argument(min=0, help="Its number.")],
    to: Annotated[str, typer.Option(help="start, end, or an offset.")] = "start",
    group: OfGroup = Group.INGEST,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a consumer go on at another record; after ingest, build live metrics anew.

    Forward: what lies between is never read. Back only where the log is shorter than it was.
    """
    audit = recorder()  # before anybody is asked
    found = _standings(group)
    here = next((one for one in found if one[:2] == (topic, partition)), None)
    if here is None:
        then = f"see `assay fences list --group {group}`"
        fail("Nothing was moved.", f"{group} has no {topic} {partition}", then)
    target = _offset(here, to)
    meaning = _meaning(here, target)
    if not yes and not typer.confirm(f"{meaning} Move?", err=True):
        raise typer.Exit(1)
    with explained("Nothing was moved.", "look at `assay fences list` and run it again"):
        asyncio.run(move(where(), here, target, audit))
    if group is Group.INGEST:
        then = "run `assay rebuild metrics` once Redis answers"
        with explained("Ingest was moved, live metrics were not built anew.", then):
            asyncio.run(rebuild_partition(where(), topic, partition))
    content = {"from": here.next_offset, "to": target, "skipped": max(0, target - here.next_offset)}
    answer(here._asdict() | content, as_json=as_json, text=f"{meaning} Done.")


def _standings(group: Group) -> list[Standing]:
    what = f"Nobody could say where {group} stands."
    with explained(what, NEXT), err.status("asking Postgres, Redis and Kafka …"):
        return asyncio.run(standings(where(), kafka().connection, group))


def _offset(here: Standing, to: str) -> int:
    named = {"start": here.log_start, "end": here.log_end}
    target = named.get(to, int(to) if to.isdecimal() else -1)
    if not here.log_start <= target <= here.log_end:
        fail(
            "Nothing was moved.",
            f"{to} is not in the log, which reaches from {here.log_start} to {here.log_end}",
            "give start, end, or an offset between them",
        )
    if target < here.next_offset <= here.log_end:
        fail(
            "Nothing was moved.",
            f"everything before {here.next_offset} is stored already",
            "to build live metrics anew, run `assay rebuild metrics`",
        )
    return target


def _meaning(here: Standing, target: int) -> str:
    place = f"{here.topic} {here.partition}"
    if target >= here.next_offset:
        lost = target - here.next_offset
        return f"{lost} offsets of {place}, from {here.next_offset} on, will never be read."
    return f"{place} goes on at {target}; events that are known already count once."


def _incident(one: Standing) -> str:
    if one.incident:
        return f"{one.incident}; `assay fences move` lets {one.group} go on"
    if one.live_incident:
        return f"metrics: {one.live_incident}; run `assay rebuild metrics`"
    return ""
