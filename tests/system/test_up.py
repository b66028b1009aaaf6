"""`assay up` as a person runs it: start, send, ask, kill a service, stop, nothing left."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from tests.system.running import ASSAY, ROOT, Up, end, start, until


def log(up: Up, number: int, **changes: Any) -> str:
    """Log one operation; its event id."""
    event = {
        "operation_id": f"op-{number}",
        "model_id": "system",
        "success": True,
        "response_time_ms": 10 + number,
    }
    status, answer = up.request("/ai/operations/log", event | changes)
    assert status == 202, answer
    return str(answer["event_ids"][0])


def sample(up: Up) -> int:
    """How many operations of the model are counted."""
    status, answer = up.request("/ai/metrics/system")
    return answer["sample"] if status == 200 else 0


def test_what_is_logged_is_counted_and_stored(up: Up) -> None:
    ids = [log(up, number) for number in range(30)]
    until(lambda: sample(up) == 30, "all are counted")

    def stored() -> list[str]:
        items = up.request("/ai/operations?model_id=system&limit=100")[1]["items"]
        return sorted(item["event_id"] for item in items)

    # Each partition is stored by itself: the last one sent may be there before the others.
    until(lambda: len(stored()) >= 30, "all are stored")
    assert stored() == sorted(ids)


def test_a_killed_service_is_started_again_and_nothing_is_missing(up: Up) -> None:
    before = sample(up)
    services = [
        child
        for child in psutil.Process(up.process.pid).children()
        if any(part in ("services.ingest", "services.metrics") for part in child.cmdline())
    ]
    assert len(services) == 2
    for service in services:
        service.kill()
    for number in range(100, 120):
        log(up, number)
    until(lambda: sample(up) == before + 20, "the events are counted once", 90)
    until(lambda: up.request("/ai/operations/op-119")[0] == 200, "and stored", 90)


def test_live_metrics_can_be_rebuilt_while_it_runs(up: Up) -> None:
    before = sample(up)
    lines = up.assay("rebuild", "metrics")
    assert sum(line["minutes"] for line in lines) > 0
    log(up, 500)
    until(lambda: sample(up) == before + 1, "what comes after is added to what was")


def test_all_stores_say_the_same(up: Up) -> None:
    done = up.assay("reconcile")
    assert done["equal"]
    assert done["complete"]
    assert done["rows"] > 0
    assert sum(line["cells"] for line in done["live"]) > 0


def test_bad_records_are_dead_letters_and_redrive_mends_what_can_be(up: Up) -> None:
    event = {
        "event_id": "0192f0c0-0000-7000-8000-000000000001",
        "tenant_id": "late-tenant",
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "operation_id": "late-1",
        "model_id": "late",
        "success": True,
        "response_time_ms": 5,
    }
    lines = json.dumps(event) + "\n{no json\n"
    assert up.assay("publish", "-", text=lines)["published"] == 2

    def reasons() -> list[str]:
        return sorted(letter["reason"] for letter in up.assay("dlq", "list"))

    until(lambda: reasons() == ["invalid_json", "unknown_tenant"], "both are dead letters")
    made = up.assay("keys", "create", "--role", "viewer", "--tenant", "late-tenant")
    assert up.assay("dlq", "redrive", "--reason", "unknown_tenant") == {"redriven": 1}
    until(
        lambda: up.request("/ai/operations/late-1", key=made["key"])[0] == 200,
        "the redriven event is stored",
    )
    assert up.request("/ai/operations/late-1")[0] == 404  # the admin is another tenant's


def test_what_was_done_is_told_in_a_chain_that_is_anchored_outside(up: Up) -> None:
    silence = {"matchers": {"model_id": "none"}, "ends_at": _in_an_hour()}
    assert up.request("/ai/silences", silence)[0] == 201
    found = up.request("/ai/audit/verify")[1]
    assert found["valid"]
    assert found["anchors"]["enabled"]
    actions = [one["action"] for one in up.request("/ai/audit")[1]["items"]]
    assert actions == ["silence.create", "key.create"]
    anchors = up.folder / "data" / "audit-anchors.jsonl"
    until(anchors.exists, "heads are written down")
    for tenant, least in ((up.env["ASSAY_TENANT"], 2), ("late-tenant", 2), ("*", 4)):
        file = up.folder / f"{least}-{len(tenant)}.jsonl"
        up.assay("audit", "export", str(file), "--tenant", tenant)
        verdict = up.assay("audit", "verify", str(file), "--anchors", str(anchors))
        assert verdict["valid"], verdict
        assert verdict["entries"] > least


def _in_an_hour() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))


def test_a_second_start_on_the_same_folder_is_refused_with_a_reason(up: Up) -> None:
    done = subprocess.run(
        [*ASSAY, "up", "--data-dir", str(up.folder / "data")],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "in use by another Assay" in done.stderr


def test_liveness_and_refusals(up: Up) -> None:
    assert up.request("/healthz", key="")[0] == 200
    assert up.request("/ai/models", key="")[0] == 401
    assert up.request("/ai/operations/log", {"operation_id": 7})[0] == 422


def test_a_killed_system_comes_back_with_what_it_had(tmp_path: Path) -> None:
    first = start(tmp_path)
    for number in range(20):
        log(first, number)
    until(lambda: first.request("/ai/operations/op-19")[0] == 200, "the last is stored")
    until(lambda: sample(first) == 20, "all are counted")
    end(first, signal.SIGKILL)
    again = start(tmp_path)
    try:
        assert again.env["ASSAY_ADMIN_KEY"] == first.env["ASSAY_ADMIN_KEY"]
        assert again.request("/ai/operations/op-19")[0] == 200
        until(lambda: sample(again) == 20, "the counts are back")
        for number in range(20, 25):
            log(again, number)
        until(lambda: sample(again) == 25, "what comes now is added")
        until(lambda: again.request("/ai/operations/op-24")[0] == 200, "and stored")
    finally:
        end(again, signal.SIGINT)
