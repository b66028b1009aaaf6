"""The end of a process, and its children: real ones, over HTTP to a gateway made for the test."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assay_sdk import Assay

AGENT = """
import logging, multiprocessing, os, sys
from assay_sdk import Assay
logging.basicConfig(format="%(message)s")
kept = {"disk_buffer": sys.argv[2], "disk_address": ["one"]} if len(sys.argv) > 2 else {}
assay = Assay.http(sys.argv[1], "key", **kept)
def log(name, count):
    for number in range(count):
        assay.log(model_id=name, success=True, response_time_ms=1)
"""
ENDS_WITHIN_S = 120
NOBODY = "http://127.0.0.1:9"  # the discard port: refused


class Gateway(ThreadingHTTPServer):
    """Takes everything, and remembers it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: list[dict[str, Any]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def models(self) -> dict[str, int]:
        """How often each model was told of; an event that came twice counts twice."""
        names = [event["model_id"] for event in self.events]
        return {name: names.count(name) for name in names}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.events += events
        body = json.dumps({"accepted": len(events), "rejected": 0}).encode()
        self.send_response(202)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def agent(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", AGENT + script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )


@pytest.mark.parametrize(
    "end",
    ["", "sys.exit(0)", "raise SystemExit", "assay.close(); log('short', 1)"],
)
def test_who_ends_at_once_has_sent_everything(gateway: Gateway, end: str) -> None:
    ended = agent(f"log('short', 300)\n{end}", gateway.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert gateway.models() == {"short": 300 + end.count("log(")}


def test_who_breaks_down_has_sent_everything(gateway: Gateway) -> None:
    ended = agent("log('broken', 3)\nraise ValueError('the agent itself')", gateway.url)
    assert ended.returncode == 1
    assert gateway.models() == {"broken": 3}


def test_an_end_with_nobody_there_says_how_many_were_lost() -> None:
    ended = agent("log('lost', 7)", NOBODY)
    assert ended.returncode == 0
    assert "at exit 7 events were not delivered; 0 of them are kept on disk" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_an_end_keeps_on_disk_arrives_from_the_next_process(
    gateway: Gateway, tmp_path: Path
) -> None:
    ended = agent("log('kept', 7)", NOBODY, tmp_path)
    assert "at exit 7 events were not delivered; 7 of them are kept on disk" in ended.stderr
    again = agent("log('new', 1)", gateway.url, tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert gateway.models() == {"kept": 7, "new": 1}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_send_their_own(
    gateway: Gateway, tmp_path: Path, method: str
) -> None:
    script = tmp_path / "agent.py"
    script.write_text(
        f"""{AGENT}
def work():
    log("child", 1)
    assay.flush(60)  # what is slow about a start is not what is tried here
    log("child", 4)
if __name__ == "__main__":
    log("parent", 20)
    context = multiprocessing.get_context({method!r})
    children = [context.Process(target=work) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    log("parent", 20)
    sys.exit(sum(child.exitcode for child in children))
"""
    )
    ended = subprocess.run(
        [sys.executable, script, gateway.url],
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert gateway.models() == {"parent": 40, "child": 15}
    assert len({event["event_id"] for event in gateway.events}) == 55


def test_a_forked_child_sends_its_own_and_counts_its_own(gateway: Gateway) -> None:
    ended = agent(
        """
log("parent", 50)
child = os.fork()
log("child" if child == 0 else "parent", 50)
if child == 0:
    assay.flush(60)
    sys.exit(0 if assay.counters.read() == {"sent": 50} else 1)
status = os.waitpid(child, 0)[1]
assay.flush(60)
assert assay.counters.read() == {"sent": 100}, assay.counters.read()
sys.exit(os.waitstatus_to_exitcode(status))
""",
        gateway.url,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert gateway.models() == {"parent": 100, "child": 50}


def test_what_an_agent_gives_as_its_child_begins_is_the_childs(gateway: Gateway) -> None:
    """Its own handler may have been there before the client was made."""
    ended = agent(
        """
os.register_at_fork(after_in_child=lambda: log("early", 1))
assay = Assay.http(sys.argv[1], "key")
child = os.fork()
if child == 0:
    sys.exit(0 if assay.flush(60) == (1, 0, 0) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""",
        gateway.url,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert gateway.models() == {"early": 1}


def test_a_fork_amid_everything_hangs_nobody(gateway: Gateway) -> None:
    """Threads hold the client's locks, and modules are being imported, while children are born."""
    ended = agent(
        """
import threading
stop = threading.Event()
def busy():
    while not stop.is_set():
        log("parent", 20)
        stop.wait(0.005)
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads:
    thread.start()
children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        log("child", 5)
        assay.flush(60)
        os._exit(0 if assay.counters.sent == 5 else 1)
    children.append(child)
stop.set()
wrong = sum(os.waitpid(child, 0)[1] != 0 for child in children)
for thread in threads:
    thread.join()
sys.exit(wrong)
""",
        gateway.url,
    )
    assert ended.returncode == 0, ended.stderr
    assert gateway.models()["child"] == 40
    assert len({event["event_id"] for event in gateway.events}) == len(gateway.events)


def test_closing_takes_no_longer_than_it_was_given_and_leaves_a_count() -> None:
    class Stuck:
        async def send(self, events: Any) -> Any:
            started.set()
            await _never()

        async def close(self) -> None:
            pass

    started = threading.Event()
    assay = Assay(Stuck, tenant_id="acme")
    for _ in range(3):
        assay.log(model_id="m", success=True, response_time_ms=1)
    started.wait()
    result = assay.close(0.4)
    assert (result.delivered, result.failed + result.pending) == (0, 3)
    assert assay.counters.read() == {"dropped:closed": 3}


async def _never() -> None:
    await asyncio.Event().wait()


def test_a_signal_amid_a_call_may_give_an_event_itself() -> None:
    """Handlers run between any two steps of the main thread, with its locks held."""
    ended = agent(
        """
import signal, time
def handler(*_):
    assay.log(model_id="signal", success=True, response_time_ms=1)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
log("main", 5_000)
signal.setitimer(signal.ITIMER_REAL, 0)
print("through")
os._exit(0)
""",
        NOBODY,
    )
    assert (ended.returncode, ended.stdout) == (0, "through\n")
