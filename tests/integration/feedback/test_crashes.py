"""feedback as two real processes, killed and stopped in the middle of their work."""

import random
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import cycle, islice
from typing import Any, NamedTuple
from uuid import uuid5

import pytest

from services.feedback.app import run
from services.feedback.domain.making import Row
from services.ingest.app import run as run_ingest
from shared.clock import utc_now
from tests.faults.victims import Victim, two_of
from tests.integration.feedback.conftest import World, surroundings_of
from tests.support.amounts import amount
from tests.support.events import SPACE, now_text, operation
from tests.support.system import SECRET, running
from tests.support.waiting import eventually

TURNS = (
    "postgres.in_transaction:2",
    "feedback.made:2",
    "feedback.followed:1",
    "postgres.after_commit:2",
    "feedback.made:3:stop",  # a zombie: woken when another has taken over
    "feedback.told:1",
    "",  # from outside, at whatever moment
    "postgres.before_begin:2",
    "feedback.made:1",
    "",
    "postgres.in_transaction:1",
)
TURNS_OF = (6, 22, 66)
"""In `make test`, in `make faults` (20 kills and 2 stops), at night."""
A_TURN = 150
COMMENTS = ("Wrong, it is outdated.", "Perfect, thank you!", "ok", "No sirve para nada.", "")


def traffic(turn: int, at: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Operations, of which some come twice, and what four people say of them, some of it twice."""
    chance = random.Random(turn)
    numbers = range(turn * A_TURN, (turn + 1) * A_TURN)
    done = [_operation(number, at) for number in numbers]
    done += [
        _operation(number, at) | {"event_id": _id("again", number), "output_text": "Said anew."}
        for number in numbers
        if number % 10 == 0
    ]
    said = [_feedback(number, vote, at, chance) for number in numbers for vote in range(4)]
    said += chance.sample(said, 30)
    return done, said


def _operation(number: int, at: str) -> dict[str, Any]:
    texts = {"input_text": f"Question {number}", "output_text": f"Answer {number}"}
    return operation(number, occurred_at=at, **texts)


def _feedback(number: int, vote: int, at: str, chance: random.Random) -> dict[str, Any]:
    """Of four votes, two are of one person: the later by its id counts."""
    said = {
        "event_id": _id("said", number, vote),
        "tenant_id": "acme",
        "operation_id": f"op-{number}",
        "occurred_at": at,
        "user_id": f"user-{(number + vote % 3) % 7}",
        "rating": chance.choice((None, 1, 2, 3, 4, 5)),
        "comment": chance.choice(COMMENTS),
        "correction": f"Better {number} {vote % 2}" if chance.random() < 0.2 else None,
        "training_consent": chance.choice((None, None, None, True, False)),
        "accurate": chance.choice((None, True, False)),
        "source": "reviewer" if vote == 3 else "user",
    }
    said["helpful"] = True if said["rating"] is None else None
    return {name: value for name, value in said.items() if value is not None}


def _id(*parts: object) -> str:
    return str(uuid5(SPACE, " ".join(map(str, parts))))


@pytest.fixture(scope="module")
def world(surroundings: World) -> World:
    """feedback does not run here by itself."""
    return surroundings


@pytest.fixture(scope="module")
def victims(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Victim]]:
    """Two processes of it."""
    env = {
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": world.bootstrap,
        "ASSAY_TOPIC_PREFIX": world.prefix,
        "ASSAY_REDIS_URL": world.values["redis_url"],
        "ASSAY_POSTGRES_DSN": world.dsns["feedback"],
        "ASSAY_SECRET_KEY": SECRET,
        "ASSAY_FEEDBACK_MAX_RECORDS": "100",
    }
    with two_of("feedback", env, tmp_path_factory.mktemp("feedback")) as two:
        yield two


@pytest.mark.faults
@pytest.mark.timeout(900)
async def test_killed_and_stopped_anywhere_the_rows_are_the_same_byte_for_byte(
    world: World, victims: list[Victim], fresh_prefix: str, fresh_database: str
) -> None:
    """Beside a world where nobody dies, and all comes in another order; then read all again."""
    chance, at, today = random.Random(7), now_text(ago_s=3600), utc_now().date()
    turns = list(islice(cycle(TURNS), TURNS_OF[amount()]))
    everything: list[tuple[str, dict[str, Any]]] = []
    async with running(run_ingest(world.ingest)):
        for victim in victims:
            victim.start()
        for turn, point in enumerate(turns):
            victim = victims[turn % 2]
            victim.wake()
            victim.kill()
            victim.start(point or None)
            await victim.ready()
            if not victim.alive:  # it followed, made or told what was left of the turn before
                assert victim.killed_itself, victim.tail()
            everything += await _send(world, turn, at, chance)
            await _struck(world, victim, point)
        for victim in victims:
            if not victim.alive:
                victim.start()
        everything += await _send(world, len(turns), at, chance)
        await world.settled()
        for victim in victims:
            victim.wake()  # one that stood still: it must not write any more
        everything += await _send(world, len(turns) + 1, at, chance)
        await world.settled()
        calm = await _calm(everything, fresh_prefix, fresh_database, world)
        if utc_now().date() != today:
            await _make_all(world)
            await _make_all(calm.world)
            calm = calm._replace(rows=await _rows(calm.world))
        _same(await _rows(world), calm.rows)
        await _told_as_they_are(world)
        for victim in victims:
            victim.kill()
        await _forget(world)
        victims[0].start()
        await world.settled(120)
        victims[0].kill()
        _same(await _rows(world), calm.rows)
    killed = sum(not point.endswith(":stop") for point in turns)
    print(
        f"{killed} kills and {len(turns) - killed} stops over {len(everything)} records:"
        f" {len(calm.rows)} rows are the same, byte for byte, in another order and after a replay"
    )


async def _send(
    world: World, turn: int, at: str, chance: random.Random
) -> list[tuple[str, dict[str, Any]]]:
    """A turn's traffic; in odd turns all is said before anything is done."""
    done, said = traffic(turn, at)
    parts = [("operations", done), ("feedback", said)]
    chance.shuffle(said)
    for kind, events in parts if turn % 2 else reversed(parts):
        await world.send(kind, events)
    return [(kind, event) for kind, events in parts for event in events]


class Calm(NamedTuple):
    """A world where nobody dies, and its rows."""

    world: World
    rows: list[tuple[Any, ...]]


async def _calm(
    everything: Sequence[tuple[str, dict[str, Any]]], prefix: str, database: str, like: World
) -> Calm:
    """All of it in another order, to services that live."""
    world = await surroundings_of(like.bootstrap, prefix, database, like.values["redis_url"])
    shuffled = random.Random(11).sample(everything, len(everything))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(run_ingest(world.ingest)))
        await stack.enter_async_context(running(run(world.settings)))
        for half in (shuffled[::2], shuffled[1::2]):
            for kind in ("feedback", "operations"):
                await world.send(kind, [event for what, event in half if what == kind])
        await world.settled(120)
    return Calm(world, await _rows(world))


async def _rows(world: World) -> list[tuple[Any, ...]]:
    """All rows, in all their columns, as text."""
    columns = ", ".join(f"{name}::text" for name in Row._fields)
    rows = await world.sql(f"SELECT {columns} FROM model_training_data ORDER BY tenant_id, row_id")
    return [tuple(row) for row in rows]


def _same(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> None:
    """Name the first row and the columns that differ: thousands of lines tell nobody anything."""
    at = Row._fields.index("row_id")
    ours, theirs = ({row[at]: row for row in rows} for rows in (found, wanted))
    assert ours.keys() == theirs.keys()
    for identity, row in ours.items():
        pairs = zip(Row._fields, row, theirs[identity], strict=True)
        differ = {name: (one, other) for name, one, other in pairs if one != other}
        assert not differ, f"{row[2]}: {differ}"


async def _told_as_they_are(world: World) -> None:
    """Each change was told, and the last one of a row says what the row is."""

    async def so() -> bool:
        rows = await world.sql("SELECT count(*) FROM training_changes WHERE published_at IS NULL")
        return bool(rows[0][0] == 0)

    await eventually(so, why="all is told")
    rows = await world.sql(
        """
        SELECT m.state, last.body ->> 'state' AS told,
               round(m.weight::numeric, 4) = round((last.body ->> 'weight')::numeric, 4) AS same
          FROM model_training_data AS m
          LEFT JOIN LATERAL (SELECT body FROM training_changes AS c
                  WHERE c.tenant_id = m.tenant_id AND c.body ->> 'row_id' = m.row_id::text
                  ORDER BY change_id DESC LIMIT 1) AS last ON true
        """
    )
    for row in rows:
        if row["state"] == "ready":
            assert row["told"] in {"ready", "updated"}
            assert row["same"]
        else:
            assert row["told"] in {"withdrawn", None}


async def _make_all(world: World) -> None:
    """Let all rows be made anew: a day began meanwhile."""
    async with running(run(world.settings)):
        await world.sql(
            "INSERT INTO feedback_due (tenant_id, operation_id, shard)"
            " SELECT tenant_id, operation_id, 0 FROM feedback_operations"
        )
        await world.settled(120)


async def _forget(world: World) -> None:
    """Lose all that feedback ever kept, and its place in the log."""
    for table in ("feedback_analysis", "feedback_operations", "feedback_due",
                  "model_training_data", "training_changes"):  # fmt: skip
        await world.sql(f"TRUNCATE {table}")
    await world.sql("UPDATE consumer_fence SET next_offset = 0 WHERE consumer_group = 'feedback'")


async def _struck(world: World, victim: Victim, point: str) -> None:
    """It reached its point, and nothing else ended it; or it is killed while it makes rows."""
    if not point:
        before = await _made(world)

        async def so() -> bool:
            return await _made(world) > before

        await eventually(so, why="more rows are made", deadline_s=60)
        victim.kill()
        return
    await eventually(
        lambda: not victim.alive or victim.is_stopped, why=f"reaches {point}", deadline_s=60
    )
    assert victim.is_stopped if point.endswith(":stop") else victim.killed_itself, victim.tail()


async def _made(world: World) -> int:
    rows = await world.sql("SELECT count(*) FROM model_training_data")
    return int(rows[0][0])
