"""Datasets that somebody asked for are frozen by feedback, and stay as they were."""

import hashlib
import json
from typing import Any
from uuid import UUID, uuid4

from pydantic_core import to_json

from services.feedback.domain.freezing import Asked
from services.feedback.queries import datasets
from shared.stores import connect_postgres
from shared.training.export import Choice, export
from shared.training.report import Report
from shared.training.stored import COLUMNS, row_of
from tests.integration.feedback.conftest import World
from tests.integration.feedback.test_feedback import answered, said
from tests.support.waiting import eventually


async def frozen(world: World, **changes: Any) -> dict[str, Any]:
    """Ask for a dataset, and wait for it."""
    wanted = {"filters": {}, "splits": {"train": 0.5, "validation": 0.3, "test": 0.2}} | changes
    dataset_id = uuid4()
    await world.sql(
        "INSERT INTO datasets (tenant_id, dataset_id, name, version, filters, splits, state,"
        " created_by) SELECT 'acme', $1, 'd', count(*) + 1, $2, $3, 'freezing', 'test'"
        " FROM datasets",
        dataset_id,
        to_json(wanted["filters"]).decode(),
        to_json(wanted["splits"]).decode(),
    )

    async def done() -> dict[str, Any] | None:
        rows = await world.sql(
            "SELECT * FROM datasets WHERE dataset_id = $1 AND state <> 'freezing'", dataset_id
        )
        return dict(rows[0]) if rows else None

    found: dict[str, Any] = await eventually(done, why="it is frozen")
    return found


async def lines(world: World, dataset_id: UUID) -> bytes:
    """The dataset as JSONL, as the gateway exports it."""
    rows = await world.sql(
        f"SELECT {COLUMNS} FROM dataset_rows AS r WHERE dataset_id = $1 ORDER BY position",
        dataset_id,
    )

    async def portions() -> Any:
        yield [row_of(row) for row in rows]

    return b"".join([chunk async for chunk in export(portions(), Choice(), Report())])


async def test_a_frozen_dataset_is_reproduced_and_counted(world: World) -> None:
    await world.send("operations", [answered(n, output_text=f"mail {n}@x.org") for n in range(60)])
    await world.send("feedback", [said(n, rating=1 + n % 5) for n in range(60)])
    await world.send("feedback", [said(7, correction="Seven.", user_id="bob")])
    await world.settled()
    dataset = await frozen(world)
    told = json.loads(dataset["manifest"])
    content = await lines(world, dataset["dataset_id"])
    assert dataset["rows"] == told["rows"] == content.count(b"\n") == 61
    assert hashlib.sha256(content).hexdigest() == dataset["sha256"] == told["sha256"]
    assert told["redaction"]["found"]["EMAIL"] == 60
    assert b"@x.org" not in content
    assert sum(told["counts"]["split"].values()) == 61
    assert set(told["counts"]["split"]) == {"train", "validation", "test"}
    # Later votes change rows, and no dataset.
    await world.send("feedback", [said(n, rating=1) for n in range(60)])
    await world.settled()
    assert await lines(world, dataset["dataset_id"]) == content
    again = await frozen(world)
    assert again["version"] == dataset["version"] + 1
    assert again["sha256"] != dataset["sha256"]


async def test_filters_choose_rows_and_withdrawn_consent_leaves_every_dataset(world: World) -> None:
    await world.send("operations", [answered(n, model_id="picked") for n in range(200, 210)])
    yes = {"rating": 5, "training_consent": True}
    await world.send("feedback", [said(n, **yes) for n in range(200, 210)])
    await world.settled()
    dataset = await frozen(world, filters={"model_id": "picked", "min_quality": 0.5})
    assert dataset["rows"] == 10
    await world.send("feedback", [said(200, rating=5, training_consent=False)])
    await world.settled()
    rows = await world.sql(
        "SELECT (SELECT count(*) FROM dataset_rows AS r WHERE r.dataset_id = d.dataset_id) AS rows,"
        " withdrawn FROM datasets AS d WHERE dataset_id = $1",
        dataset["dataset_id"],
    )
    assert (rows[0]["rows"], rows[0]["withdrawn"]) == (9, 1)
    assert (await frozen(world, filters={"model_id": "picked"}))["rows"] == 9


async def test_a_corrector_who_takes_consent_back_leaves_datasets_whatever_he_says_with_it(
    world: World,
) -> None:
    await world.send("operations", [answered(300, model_id="kept")])
    await world.send("feedback", [said(300, correction="Secret 300.", training_consent=True)])
    await world.settled()
    dataset = await frozen(world, filters={"model_id": "kept"})
    assert b"Secret 300." in await lines(world, dataset["dataset_id"])
    # The correction is replaced by it, so it is no row any more that could be withdrawn.
    await world.send("feedback", [said(300, rating=3, training_consent=False)])
    await world.settled()
    assert await lines(world, dataset["dataset_id"]) == b""


async def test_what_was_withdrawn_while_it_was_copied_is_in_no_dataset(world: World) -> None:
    await world.send("operations", [answered(n, model_id="raced") for n in (310, 311)])
    await world.send("feedback", [said(n, rating=4) for n in (310, 311)])
    await world.settled()
    pool = await connect_postgres(world.settings.postgres_dsn, service="test")
    dataset_id = uuid4()
    async with pool.acquire() as connection, connection.transaction():
        # As a freezer leaves it that has copied rows and not opened the dataset.
        asked = Asked("acme", dataset_id, "raced", 1, {"model_id": "raced"}, {"train": 1.0})
        await world.sql(
            "INSERT INTO datasets (tenant_id, dataset_id, name, version, filters, splits, state,"
            " created_by, manifest)"
            " VALUES ('acme', $1, 'raced', 1, '{}', '{}', 'failed', 'test', '{}')",
            dataset_id,
        )
        async for portion in datasets.rows(connection, asked):
            await datasets.add(connection, asked, 0, [(row, None) for row, _, _ in portion])
    await world.sql("DELETE FROM training_blocks")
    gone = (await world.answer("op-310")).row_id
    await world.sql(
        "INSERT INTO training_blocks VALUES ('acme', $1, 'op-310', now(), 'test')", gone
    )
    await world.sql("UPDATE datasets SET state = 'freezing' WHERE dataset_id = $1", dataset_id)

    async def opened() -> bool:
        rows = await world.sql("SELECT state FROM datasets WHERE dataset_id = $1", dataset_id)
        return bool(rows[0]["state"] == "frozen")

    await eventually(opened, why="it is opened")
    await pool.close()
    left = await world.sql("SELECT row_id FROM dataset_rows WHERE dataset_id = $1", dataset_id)
    assert len(left) == 1
    assert left[0]["row_id"] != gone


async def test_what_cannot_be_frozen_says_why_and_holds_up_nothing(world: World) -> None:
    broken = await frozen(world, splits={"train": 0.4})
    assert broken["state"] == "failed"
    assert "add up to 1" in broken["failure"]
    assert (await frozen(world, filters={"model_id": "nobody"}))["rows"] == 0
