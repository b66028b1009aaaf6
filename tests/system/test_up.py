"""`assay up` as a person runs it: start, send, ask, kill a service, stop, nothing left."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
ASSAY = [sys.executable, "-c", "from deploy.cli import app; app()"]


def until(condition: Callable[[], Any], why: str, deadline_s: float = 60) -> Any:
    """The first true answer."""
    give_up_at = time.monotonic() + deadline_s
    while not (answer := condition()):
        assert time.monotonic() < give_up_at, why
        time.sleep(0.1)
    return answer


class Up:
    """A running `assay up`."""

    def __init__(self, process: subprocess.Popen[bytes], env: dict[str, str]) -> None:
        self.process = process
        self.env = env

    def request(self, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        """Status and JSON of a request to the gateway."""
        headers = {"Content-Type": "application/json"}
        if key != "":
            headers["Authorization"] = f"Bearer {key or self.env['ASSAY_ADMIN_KEY']}"
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.env["ASSAY_GATEWAY_URL"] + path, data, headers)
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except (urllib.error.URLError, ConnectionError):
            return 0, None

    def assay(self, *arguments: str, text: str | None = None) -> Any:
        """A command of the program, answered as JSON."""
        done = subprocess.run(
            [*ASSAY, *arguments, "--json"],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}", **self.env},
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def start(folder: Path) -> Up:
    """`assay up` on a folder; returns once it is ready."""
    env_file = folder / "env"
    env_file.unlink(missing_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
    clean["PYTHONPATH"] = f"{ROOT}:{ROOT / 'sdk'}"
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [*ASSAY, "up", "--data-dir", str(folder / "data"), "--env-file", str(env_file)],
            env=clean,
            stdout=out,
            stderr=out,
        )
    until(lambda: env_file.exists() or process.poll() is not None, "it is ready", 120)
    assert process.poll() is None, (folder / "out").read_text()
    pairs = (shlex.split(line)[1].partition("=") for line in env_file.read_text().splitlines())
    return Up(process, {name: value for name, _, value in pairs})


def end(up: Up, how: signal.Signals) -> int:
    """End it by a signal; nothing that it started may stay. Answers its exit code."""
    family = psutil.Process(up.process.pid).children(recursive=True)
    assert len(family) >= 6
    up.process.send_signal(how)
    code = up.process.wait(60)
    _, left = psutil.wait_procs(family, timeout=10)
    assert left == []
    return code


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Start it in a folder of its own; stop it by SIGTERM; nothing may stay."""
    running = start(tmp_path_factory.mktemp("up"))
    yield running
    assert end(running, signal.SIGTERM) == 0


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


def test_a_second_start_on_the_same_folder_is_refused_with_a_reason(
    up: Up, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = next(tmp_path_factory.getbasetemp().glob("up*")) / "data"
    done = subprocess.run(
        [*ASSAY, "up", "--data-dir", str(folder)],
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
