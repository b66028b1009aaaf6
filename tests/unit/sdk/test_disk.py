"""What is kept on disk outlives its process, once, whole or not at all, and within its bounds."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from assay_sdk import Assay, claims, courier
from assay_sdk import disk as module
from assay_sdk.books import Books
from assay_sdk.outcome import Counters
from tests.unit.sdk.test_client import EVERYBODY, Sink, client, told_of

AWAY = 10**9
KEYS = ("key-1", "key-2")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(courier, "MOST_WAIT_S", 0.01)


@pytest.fixture
def batches_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "MOST_AT_ONCE", 1)


def log(assay: Assay, *models: str) -> None:
    for model in models:
        assay.log(model_id=model, success=True, response_time_ms=1)


def models(sink: Sink) -> list[str]:
    return [event["model_id"] for event in sink.events()]


def files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.rglob("*.jsonl"), key=lambda path: path.name)
    except FileNotFoundError:  # a folder got its name while it was looked at
        return []


def left_behind(folder: Path, *names: str) -> Sink:
    """As a process does that ends while the broker is away."""
    sink, is_all_there = Sink(failures=AWAY), threading.Event()

    def together(fields: dict[str, Any]) -> dict[str, Any]:
        is_all_there.wait()  # the thread may be quicker than we are: one batch is one file
        return fields

    assay = client(sink, disk_buffer=folder, mask=together)
    log(assay, *names)
    is_all_there.set()
    result = assay.close(0.2)
    assert (result.delivered, result.failed, result.kept) == (0, 0, len(names))
    assert result.pending == len(names)
    _end(assay)
    return sink


def _end(assay: Assay) -> None:
    """What the system does when a process ends: its locks are released."""
    backlog = assay._sender._backlog
    assert isinstance(backlog, module.Disk)
    backlog.forget()


def test_what_a_process_leaves_the_next_one_sends_with_the_same_bytes(tmp_path: Path) -> None:
    tried = {event.value for batch in left_behind(tmp_path, "a", "b").tried for event in batch}
    sink = Sink()
    assay = client(sink, disk_buffer=tmp_path)
    assert assay.close() == (2, 0, 0)
    assert models(sink) == ["a", "b"]
    assert {event.value for event in sink.sent} == tried
    assert dict(sink.sent[0].headers)["ce_id"].decode() == sink.events()[0]["event_id"]
    assert files(tmp_path) == []


def test_what_is_let_go_twice_closes_no_file_of_somebody_else(tmp_path: Path) -> None:
    claim, *_ = claims.claimed(tmp_path)
    claim.forget()
    somebodys = [os.open(tmp_path, os.O_RDONLY) for _ in range(8)]  # one has the lock's number now
    claim.forget()
    for file in somebodys:
        os.close(file)  # OSError where it was closed already


def test_what_arrived_leaves_nothing_on_disk(tmp_path: Path) -> None:
    assay = client(Sink(), disk_buffer=tmp_path)
    log(assay, "a", "b")
    result = assay.close()
    assert (result, result.kept) == ((2, 0, 0), 0)
    assert files(tmp_path) == []


@pytest.mark.usefixtures("batches_of_one")
def test_the_order_is_kept_over_an_end(tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(20)]
    left_behind(tmp_path, *names[:10])
    left_behind_again = Sink(failures=AWAY)
    assay = client(left_behind_again, disk_buffer=tmp_path)
    log(assay, *names[10:])
    assert assay.close(0.2).kept == 20
    _end(assay)
    sink = Sink()
    assert client(sink, disk_buffer=tmp_path).close() == (20, 0, 0)
    assert models(sink) == names


def test_an_outage_longer_than_the_buffer_loses_nothing(tmp_path: Path) -> None:
    sink = Sink(failures=AWAY)
    assay = client(sink, disk_buffer=tmp_path, max_buffer=50)
    for number in range(500):
        log(assay, str(number))
        if number % 25 == 24:
            eventually(lambda: not assay._sender._buffer)
    sink.failures = 0
    assert assay.close() == (500, 0, 0)
    assert models(sink) == [str(number) for number in range(500)]


def eventually(is_true: Any, deadline_s: float = 20) -> None:
    give_up_at = time.monotonic() + deadline_s
    while not is_true():
        assert time.monotonic() < give_up_at
        time.sleep(0.005)


@pytest.mark.parametrize("cut", range(1, 400, 37))
def test_a_line_that_was_half_written_is_passed_over_and_counted(tmp_path: Path, cut: int) -> None:
    left_behind(tmp_path, "a", "b", "c")
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    sink = Sink()
    assay = client(sink, disk_buffer=tmp_path)
    assert assay.close() == (2, 1, 0)
    assert models(sink) == ["a", "b"]
    assert assay.counters.read() == {"sent": 2, "dropped:disk_unreadable": 1}


@pytest.mark.parametrize(
    "rubbish", [b"\0" * 200 + b"\n", b"[1,2]\n", b"{}\n", b"\xff\n", b"null\n"]
)
def test_rubbish_amid_a_file_costs_only_itself(tmp_path: Path, rubbish: bytes) -> None:
    left_behind(tmp_path, "a", "b", "c")
    (path,) = files(tmp_path)
    first, _, last, _ = path.read_bytes().split(b"\n")
    path.write_bytes(first + b"\n" + rubbish + b"\n" + last + b"\n")
    sink = Sink()
    assay = client(sink, disk_buffer=tmp_path)
    assert assay.close() == (2, 1, 0)
    assert models(sink) == ["a", "c"]


@pytest.mark.usefixtures("batches_of_one")
def test_where_the_bound_is_reached_the_oldest_give_way_and_are_counted(tmp_path: Path) -> None:
    sink = Sink(failures=AWAY)
    assay = client(sink, disk_buffer=tmp_path, most_disk_bytes=5_000)
    for number in range(50):
        log(assay, str(number))
    result = assay.close(2)
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 5_000
    dropped = assay.counters.read()["dropped:disk_full"]
    assert (result.failed, result.kept) == (dropped, 50 - dropped)
    assert dropped > 30
    _end(assay)
    sink = Sink()
    assert client(sink, disk_buffer=tmp_path).close().delivered == 50 - dropped
    assert models(sink)[-1] == "49"


def test_a_full_disk_costs_a_count_and_events_go_by_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    sink = Sink()
    assay = client(sink, disk_buffer=tmp_path)
    monkeypatch.setattr(module.os, "write", full)
    log(assay, "a")
    assert assay.close() == (1, 0, 0)
    assert assay.counters.read() == {"sent": 1, "disk_errors": 1}


def test_a_file_that_cannot_be_removed_either_keeps_no_event_from_its_way_by_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    sink = Sink()
    assay = client(sink, disk_buffer=tmp_path)
    monkeypatch.setattr(module.os, "write", failing)
    monkeypatch.setattr(Path, "unlink", failing)
    log(assay, "a")
    assert assay.close() == (1, 0, 0)
    assert assay.counters.read() == {"sent": 1, "disk_errors": 1}


@pytest.mark.usefixtures("batches_of_one")
def test_a_file_that_cannot_be_read_now_stays_and_is_sent_once_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_behind(tmp_path, "a", "b")
    read, failing = Path.read_bytes, [files(tmp_path)[0]]

    def read_bytes(path: Path) -> bytes:
        if path.name in [one.name for one in failing]:
            raise OSError(errno.EIO, "Input/output error")
        return read(path)

    monkeypatch.setattr(module, "READ_AGAIN_S", 0.01)
    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    sink = Sink()
    assay = client(sink, disk_buffer=tmp_path)
    eventually(lambda: models(sink) == ["b"])
    result = assay.flush(0.1)
    assert (result.delivered, result.pending, result.kept) == (1, 1, 1)
    failing.clear()
    assert assay.close() == (1, 0, 0)
    assert models(sink) == ["b", "a"]
    assert set(assay.counters.read()) == {"sent", "disk_errors"}


def test_a_file_that_somebody_removed_is_counted_as_lost(tmp_path: Path) -> None:
    left_behind(tmp_path, "a", "b")
    books = Books(Counters(), lambda _: None)
    disk = module.Disk(module.DiskPlace.of(tmp_path, "acme", module.MOST_BYTES), books)
    assert disk.kept == 2
    files(tmp_path)[0].unlink()
    assert (disk.first(), disk.kept) == (None, 0)
    assert books.counters.read() == {"dropped:disk_unreadable": 2}


def test_a_folder_that_cannot_be_had_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    sink = Sink()
    assay = client(sink, disk_buffer=tmp_path / "file")
    log(assay, "a")
    assert assay.close() == (1, 0, 0)
    assert assay.counters.read() == {"sent": 1, "disk_errors": 1}


def test_living_processes_leave_each_others_files_alone(tmp_path: Path) -> None:
    away = Sink(failures=AWAY)
    first = client(away, disk_buffer=tmp_path)
    log(first, "a")
    eventually(lambda: files(tmp_path))
    sink = Sink()
    second = client(sink, disk_buffer=tmp_path)
    log(second, "b")
    assert second.close() == (1, 0, 0)
    assert models(sink) == ["b"]
    away.failures = 0
    assert first.close() == (1, 0, 0)
    assert models(away) == ["a"]


def test_a_child_neither_sends_its_parents_files_nor_frees_them(tmp_path: Path) -> None:
    away = Sink(failures=AWAY)
    parent = client(away, disk_buffer=tmp_path)
    log(parent, "parent")
    eventually(lambda: files(tmp_path))
    child = os.fork()
    if child == 0:
        away.failures = 0
        log(parent, "child")
        is_right = parent.close(10) == (1, 0, 0) and models(away) == ["child"]
        os._exit(0 if is_right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    other = Sink()
    assert client(other, disk_buffer=tmp_path).close() == (0, 0, 0)
    assert other.sent == []
    away.failures = 0
    assert parent.close() == (1, 0, 0)


def test_who_has_closed_holds_nothing_back_and_may_go_on(tmp_path: Path) -> None:
    away = Sink(failures=AWAY)
    first = client(away, disk_buffer=tmp_path)
    log(first, "a")
    assert first.close(0.2).kept == 1
    sink = Sink()
    second = client(sink, disk_buffer=tmp_path)
    assert second.close() == (1, 0, 0)
    assert models(sink) == ["a"]
    away.failures = 0
    log(first, "b")
    assert first.close() == (1, 0, 0)
    assert models(away) == ["b"]
    assert files(tmp_path) == []


def test_who_closed_finds_what_it_left_when_it_goes_on(tmp_path: Path) -> None:
    sink = Sink(failures=AWAY)
    assay = client(sink, disk_buffer=tmp_path)
    log(assay, "a")
    assert assay.close(0.2).kept == 1
    sink.failures = 0
    log(assay, "b")
    assert assay.close() == (2, 0, 0)
    assert sorted(models(sink)) == ["a", "b"]


def test_what_is_for_one_place_or_key_is_never_sent_with_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, sink = Sink(failures=AWAY), Sink()
    monkeypatch.setattr("assay_sdk.client.HttpTransport", lambda *_: away)
    monkeypatch.setattr("assay_sdk.client.KafkaTransport", lambda *_: away)
    makers = [partial(Assay.http, url, key) for url in ("http://a", "http://b") for key in KEYS]
    makers += [
        partial(Assay.kafka, servers, tenant_id="acme", topic_prefix=prefix)
        for servers in ("a:1", "b:1")
        for prefix in ("ai.", "test.")
    ]
    for number, made in enumerate(makers):
        assay = made(disk_buffer=tmp_path)
        log(assay, str(number))
        assert assay.close(0.2).kept == 1
    assert not any(KEYS[0] in str(path) for path in files(tmp_path))
    monkeypatch.setattr("assay_sdk.client.HttpTransport", lambda *_: sink)
    monkeypatch.setattr("assay_sdk.client.KafkaTransport", lambda *_: sink)
    for number, made in enumerate(makers):
        assert made(disk_buffer=tmp_path).close() == (1, 0, 0)
        assert models(sink)[-1] == str(number)


def test_nobody_else_may_read_what_is_kept(tmp_path: Path) -> None:
    left_behind(tmp_path / "new", "a")
    (path,) = files(tmp_path)
    own, of_tenant = path.parent, path.parent.parent
    assert [one.stat().st_mode & 0o077 for one in (path, own, of_tenant)] == [0, 0, 0]


def test_only_what_the_mask_let_through_is_written(tmp_path: Path) -> None:
    sink = Sink(failures=AWAY)
    assay = client(sink, disk_buffer=tmp_path, mask=lambda fields: fields | {"user_id": "hidden"})
    assay.log(model_id="m", success=True, response_time_ms=1, user_id="secret-name")
    assay.close(0.2)
    (path,) = files(tmp_path)
    assert b"hidden" in path.read_bytes()
    assert b"secret-name" not in path.read_bytes()


def test_an_exposure_that_gave_way_on_disk_is_told_at_the_next_evaluation(tmp_path: Path) -> None:
    left = Sink(failures=AWAY)
    assay = client(left, disk_buffer=tmp_path)
    assay.assignment(EVERYBODY, "u-1")
    assert assay.close(0.2).kept == 1
    _end(assay)
    sink = Sink()
    assay = client(sink, disk_buffer=tmp_path)
    assay.assignment(EVERYBODY, "u-1")
    assay.close()
    # Both are told of: the unit counts once, and the first keeps its event id.
    assert told_of(sink) == ["u-1", "u-1"]


KILLED = """
import os, sys, threading
from assay_sdk import Assay
from assay_sdk.transports import Later

class Away:
    async def send(self, events):
        raise Later("away")
    async def close(self):
        pass

assay = Assay(Away, tenant_id="acme", disk_buffer=sys.argv[1])
for number in range(300):
    assay.log(model_id=str(number), success=True, response_time_ms=1)
while assay._sender._buffer:
    pass
while assay._sender._kept() < 300:
    pass
print("kept", flush=True)
threading.Event().wait()
"""


def test_who_is_killed_has_lost_nothing_that_was_written(tmp_path: Path) -> None:
    agent = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert agent.stdout is not None
    assert agent.stdout.readline() == "kept\n"
    agent.send_signal(signal.SIGKILL)
    agent.wait()
    sink = Sink()
    assert client(sink, disk_buffer=tmp_path).close() == (300, 0, 0)
    assert models(sink) == [str(number) for number in range(300)]
    assert len({event["event_id"] for event in sink.events()}) == 300


def test_folders_in_which_nothing_is_left_are_removed(tmp_path: Path) -> None:
    living = [client(Sink(failures=AWAY), disk_buffer=tmp_path) for _ in range(3)]
    for assay in living:
        log(assay, "a")
        assay.close(0.2)
    assert len(list(tmp_path.rglob(claims.LOCK))) == 3
    for assay in living:
        _end(assay)
    assay = client(Sink(), disk_buffer=tmp_path)
    assert assay.close().delivered == 3
    assert [path.parent for path in tmp_path.rglob(claims.LOCK)] == []


def test_the_name_of_a_tenant_leads_nowhere_else(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    assay = Assay(lambda: Sink(failures=AWAY), tenant_id="../up", disk_buffer=inner)
    log(assay, "a")
    assay.close(0.2)
    (path,) = files(tmp_path)
    assert inner in path.parents
    assert json.loads(json.loads(path.read_bytes())[2])["tenant_id"] == "../up"
