"""What is stored of a person comes out, whole, and nothing of others does."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.gateway.domain.problems import Problem
from services.gateway.queries.subject_classes import CLASSES
from services.gateway.store import subject_portions
from shared.privacy.tasks import TENANT
from tests.integration.privacy.exported import (
    ANNA,
    OTHERS_TEXT,
    PSEUDONYM,
    TEXT,
    hers,
    theirs,
    world,
)
from tests.integration.privacy.parts import (
    NAMES,
    OPERATIONS,
    Abtest,
    Feedback,
    Gateway,
    Ingest,
)
from tests.support.system import Rows
from tests.support.traces import in_postgres as traces
from tests.support.waiting import eventually


async def test_all_of_a_person_comes_out_and_nothing_of_others(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, abtest: Abtest, rows: Rows
) -> None:
    tests = await world(ingest, feedback, abtest, rows)
    export_id = await gateway.ask_export(ANNA)
    await gateway.make_exports()
    found = await gateway.file(export_id)
    (manifest,) = found.pop("manifest")
    assert manifest["subject"] == PSEUDONYM
    assert {one["file"]: one["lines"] for one in manifest["files"] if one["lines"]} == {
        f"{name}.jsonl": len(lines) for name, lines in found.items()
    }

    def of(name: str, column: str) -> list[Any]:
        return sorted(line[column] for line in found.get(name, []))

    assert of("operations", "operation_id") == ["op-1", "op-2"]
    assert of("operations", "input_text") == [f"{TEXT} 1", f"{TEXT} 2"]
    assert of("feedback", "operation_id") == ["op-1", "op-3", "op-99"]
    assert of("feedback_analysis", "operation_id") == ["op-1", "op-3", "op-99"]
    assert of("feedback_of_others", "operation_id") == ["op-1", "op-2"]
    assert all("comment" not in line for line in found["feedback_of_others"])
    mine = {(line["operation_id"], line["kind"]) for line in found["training_rows"]}
    assert mine == {
        *(("op-1", "answer"), ("op-1", "correction")),
        ("op-2", "answer"),
    }
    given = [line.get("output") for line in found["training_rows"] if line["kind"] == "correction"]
    assert sorted(given, key=str) == sorted([None, f"{TEXT} corrected"], key=str)
    (to_bob,) = [
        line for line in found["training_rows_of_corrections"] if line["kind"] == "correction"
    ]
    assert (to_bob["output"], "input" in to_bob) == (f"{TEXT} given to bob", False)
    assert len(found["dataset_rows"]) == len(found["training_rows"])
    assert of("own_reviews", "operation_id") == ["op-4"]
    assert f"{TEXT} reviewed" in str(found["own_reviews"])
    assert [line["said"] for line in found["reviews"]] == [{"rating": 2}]
    assert of("ab_tests", "test_id") == [str(tests["by_user"])]
    assert {line["kind"] for line in found["ab_events"]} >= {"o", "e"}
    assert {line["test_id"] for line in found["ab_events_of_sessions"]} == {
        str(tests["by_session"])
    }
    assert len(found["ab_sessions"]) == 2
    assert of("rater_reliability", "rater") == [f"user:{PSEUDONYM}"]
    assert [(line["shared"], "other" in line) for line in found["rater_pairs"]] == [(9, False)]
    letters = [line["record_value"] for line in found["dead_letters"]]
    assert len(letters) == 2
    assert any(f"{TEXT} unread" in one for one in letters)
    whole = str(found)
    assert OTHERS_TEXT not in whole
    for other in ("bob", "carl", "eve", "globex"):
        assert NAMES.pseudonym("acme", other) not in whole
    assert "of globex" not in whole


async def test_no_table_that_names_the_person_is_missing(
    gateway: Gateway,
    ingest: Ingest,
    feedback: Feedback,
    abtest: Abtest,
    rows: Rows,
    fresh_database: str,
) -> None:
    await world(ingest, feedback, abtest, rows)
    found = await traces(fresh_database, ANNA, PSEUDONYM, TEXT)
    tables = {name.partition("_p20")[0].rstrip("_0123456789") for name in found}
    told = {one.table for one in CLASSES}
    assert tables - told == set()


async def test_the_name_is_stored_nowhere_by_an_export(
    gateway: Gateway, ingest: Ingest, feedback: Feedback, abtest: Abtest, rows: Rows
) -> None:
    await world(ingest, feedback, abtest, rows)
    await gateway.ask_export(ANNA)
    await gateway.make_exports()
    for table in ("subject_exports", "subject_export_parts", "audit_log"):
        kept = str([dict(row) for row in await rows(f"SELECT * FROM {table}")])
        assert kept != "[]"
        assert ANNA not in kept
    (audit,) = await rows("SELECT action, after FROM audit_log WHERE action LIKE 'subject%'")
    assert audit["action"] == "subject_export.create"
    assert PSEUDONYM not in audit["after"]


async def test_portions_of_two_gateways_make_the_same_as_one(
    gateway: Gateway,
    ingest: Ingest,
    feedback: Feedback,
    abtest: Abtest,
    rows: Rows,
    dsns: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await world(ingest, feedback, abtest, rows)
    await ingest.take(OPERATIONS, [(hers if n % 3 else theirs)(n) for n in range(100, 160)])
    one = await gateway.ask_export(ANNA)
    await gateway.make_exports()
    whole = await gateway.file(one)
    monkeypatch.setattr(subject_portions, "MOST_LINES", 2)
    monkeypatch.setattr(subject_portions, "WALKED", 3)
    monkeypatch.setattr(subject_portions, "MOST_LETTERS", 1)
    again = await gateway.ask_export(ANNA)
    other = Gateway(dsns["gateway"])
    try:
        while any(await asyncio.gather(gateway.exports.step_all(), other.exports.step_all())):
            pass
        found = await other.file(again)
    finally:
        await other.close()
    (parts,) = (
        await rows("SELECT max(lines) FROM subject_export_parts WHERE export_id = $1", again)
    )[0]
    assert parts == 2
    whole.pop("manifest")
    found.pop("manifest")
    once = "ab_sessions"  # of which one may stand there several times, in several portions
    assert _sorted(whole.pop(once)) == _sorted(_unique(found.pop(once)))
    assert {name: _sorted(lines) for name, lines in found.items()} == {
        name: _sorted(lines) for name, lines in whole.items()
    }


def _sorted(lines: list[Any]) -> list[str]:
    return sorted(map(str, lines))


def _unique(lines: list[Any]) -> list[Any]:
    return list({str(line): line for line in lines}.values())


async def test_what_is_cut_off_in_a_portion_is_made_again_by_another(
    gateway: Gateway, ingest: Ingest, dsns: dict[str, str], rows: Rows
) -> None:
    await ingest.take(OPERATIONS, [hers(1), hers(2)])
    export_id = await gateway.ask_export(ANNA)
    dying = await asyncpg.connect(dsns["gateway"])
    work = dying.transaction()
    await work.start()
    await dying.execute(TENANT, "acme")
    await dying.execute("SELECT 1 FROM subject_exports FOR UPDATE")
    assert not await gateway.exports.step("acme", export_id)  # who has the lock goes on
    dying.terminate()

    async def is_ready() -> bool:
        await gateway.make_exports()
        return bool((await gateway.exports.get("acme", export_id))["status"] == "ready")

    await eventually(is_ready, why="the lock is free and it is made")
    assert len((await gateway.file(export_id))["operations"]) == 2
    assert len(await rows("SELECT 1 FROM subject_export_parts WHERE class = 'operations'")) == 1


async def test_another_tenants_person_of_the_same_name_is_another(
    gateway: Gateway, ingest: Ingest
) -> None:
    await ingest.take(OPERATIONS, [hers(1), hers(2, tenant_id="globex")])
    own, foreign = await gateway.ask_export(ANNA), await gateway.ask_export(ANNA, "globex")
    await gateway.make_exports()
    assert [line["operation_id"] for line in (await gateway.file(own))["operations"]] == ["op-1"]
    there = await gateway.file(foreign, "globex")
    assert [line["operation_id"] for line in there["operations"]] == ["op-2"]
    with pytest.raises(Problem, match="There is no export"):
        await gateway.exports.get("acme", foreign)


async def test_after_seven_days_it_is_gone(gateway: Gateway, ingest: Ingest, rows: Rows) -> None:
    await ingest.take(OPERATIONS, [hers(1)])
    export_id = await gateway.ask_export(ANNA)
    await gateway.make_exports()
    row = await gateway.exports.get("acme", export_id)
    kept = row["expires_at"] - row["completed_at"]
    assert abs(kept - timedelta(days=7)) < timedelta(seconds=1), "two readings of a clock"
    await rows("UPDATE subject_exports SET expires_at = now() - interval '1 s'")
    with pytest.raises(Problem, match="not any more"):
        await gateway.exports.get("acme", export_id)
    while await gateway.exports.end_old():
        pass
    for table in ("subject_exports", "subject_export_parts"):
        assert await rows(f"SELECT 1 FROM {table}") == []


async def test_an_export_of_nobody_is_ready_and_empty(gateway: Gateway) -> None:
    export_id = await gateway.ask_export("nobody")
    await gateway.make_exports()
    assert isinstance(export_id, UUID)
    assert [*(await gateway.file(export_id))] == ["manifest"]
