"""What is wrong with abtest's books, steps and results once nothing moves any more."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import asyncpg

from tests.faults.books import Finding, Kind
from tests.faults.lab import stored
from tests.faults.lab.reckoning import compared, reckoned
from tests.faults.lab.stage import PSEUDONYM, Lab
from tests.faults.topic import partitions_of, whole


async def judged(lab: Lab) -> list[Finding]:
    """All of it; empty when all is right."""
    return [*await _counts(lab), *await _positions(lab), *await _steps(lab)]


def said(lab: Lab, answers: Sequence[Any]) -> list[Finding]:
    """Whether the answers' units and operations are those that were sent."""
    found = []
    for trial, answer in zip(lab.trials, answers, strict=True):
        arms = reckoned(trial, lab.traffic.sent, PSEUDONYM).arms
        for one in answer["variants"]:
            mine = [arm for (_, variant), arm in arms.items() if variant == one["key"]]
            for name in ("units", "operations"):
                if one[name] != (right := sum(arm[name] for arm in mine)):
                    text = f"{trial.key}: {name} of {one['key']}: {one[name]}, should be {right}"
                    found.append(Finding("different", abs(one[name] - right), text))
    return found


async def figures(lab: Lab) -> str:
    """How much was compared."""
    books = [reckoned(one, lab.traffic.sent, PSEUDONYM) for one in lab.trials]
    units = sum(len(one.units) for one in books)
    multiple = sum(arm["multiple"] for one in books for arm in one.arms.values())
    steps = await lab.sql("SELECT count(*) FROM ab_test_steps WHERE actor IS NULL")
    sent = ", ".join(f"{count:,} {kind}" for kind, count in lab.traffic.counts.items())
    return (
        f"{lab.traffic.records:,} records ({sent}); {len(lab.trials)} tests, {units:,} units"
        f" ({multiple} in two variants), {sum(one.lines for one in books):,} lines of five tables"
        f" reckoned anew; {steps[0][0]} steps"
    )


async def _counts(lab: Lab) -> list[Finding]:
    """Units and sums against what was sent."""
    connection = await asyncpg.connect(lab.dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return [
                finding
                for one in lab.trials
                for finding in compared(
                    one,
                    reckoned(one, lab.traffic.sent, PSEUDONYM),
                    await stored.books(connection, one.test_id),
                )
            ]
    finally:
        await connection.close()


async def _positions(lab: Lab) -> list[Finding]:
    """Every record has one verdict, and no more of them are unreadable than were sent so."""
    rows = await lab.sql(
        "SELECT sum(next_offset) AS next, sum(accepted + duplicates + dead + gaps) AS told,"
        " sum(dead) AS dead, sum(gaps) AS gaps FROM consumer_fence WHERE consumer_group = 'abtest'"
    )
    found = {name: int(value) for name, value in rows[0].items()}
    records, bad = lab.traffic.records, lab.traffic.counts["unreadable"]
    right = {"next": records, "told": records, "dead": bad, "gaps": 0}
    for name, count in right.items():
        if found[name] != count:
            kind: Kind = "lost" if found[name] < count else "double"
            text = f"fences: {name} is {found[name]}, should be {count}"
            return [Finding(kind, abs(found[name] - count), text)]
    return []


async def _steps(lab: Lab) -> list[Finding]:
    """Each that nobody took is another than the one before, and on the topic as it is kept."""
    rows = await lab.sql(
        "SELECT event_id::text AS event_id, test_id::text AS test_id, body FROM ab_test_steps"
        " WHERE actor IS NULL ORDER BY occurred_at, event_id"
    )
    kept = {row["event_id"]: json.loads(row["body"]) for row in rows}
    topic = partitions_of(f"{lab.place.prefix}experiments.v1")
    told = [json.loads(one.value) for one in await whole(lab.place.kafka, topic)]
    return [*_repeated(kept), *_told(kept, told)]


def _repeated(kept: dict[str, Any]) -> Iterator[Finding]:
    lives: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for body in kept.values():
        said = body["verdict"], body.get("winner"), body["state"]
        lives[body["test_id"]].append(said)
    for test_id, life in lives.items():
        again = [one for one, then in pairwise(life) if one == then]
        if again:
            yield Finding("double", len(again), f"steps of {test_id}: {again[0]} twice in a row")


def _told(kept: dict[str, Any], told: list[Any]) -> Iterator[Finding]:
    times = Counter(one["event_id"] for one in told)
    for one in told:
        if one != kept.get(one["event_id"]):
            yield Finding("double", 1, f"told, and not kept so: {one}")
    if lost := kept.keys() - times.keys():
        yield Finding("lost", len(lost), f"steps that nobody was told of: {sorted(lost)}")
