"""The client records what happens and never gets in its way."""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import RFC_4122, UUID

import pytest

from assay_sdk import Assay, Experiment, Variant, courier, ids
from assay_sdk.assignment import is_unit
from assay_sdk.books import Books
from assay_sdk.events import Encoded, Given
from assay_sdk.ids import Name, uuid7
from assay_sdk.outcome import Counters
from assay_sdk.transports import HttpTransport, Later, Sent
from services.gateway.domain.assigning import unfit
from tests.unit.sdk import shapes


class Sink:
    """A transport that keeps what it is given; it can be told to fail, or to wait."""

    def __init__(self, failures: int = 0) -> None:
        self.sent: list[Encoded] = []
        self.tried: list[list[Encoded]] = []
        self.failures = failures
        self.open = threading.Event()
        self.open.set()

    async def send(self, events: Sequence[Encoded]) -> Sent:
        await asyncio.to_thread(self.open.wait)
        self.tried.append(list(events))
        if self.failures:
            self.failures -= 1
            raise Later("not now")
        self.sent += events
        return Sent(len(events), 0)

    async def close(self) -> None:
        pass

    def events(self, kind: str = "operations") -> list[dict[str, Any]]:
        """What was sent, decoded."""
        return [json.loads(event.value) for event in self.sent if event.kind == kind]


def client(sink: Sink, **options: Any) -> Assay:
    return Assay(lambda: sink, tenant_id="acme", agent_id="bot", **options)


def test_a_block_is_measured_and_sent() -> None:
    sink = Sink()
    assay = client(sink, release="r1")
    with assay.operation("m", user_id="u") as operation:
        operation.set(input_tokens=3, confidence=0.5)
    operation.feedback(rating=5)
    assert assay.close().complete
    (event,) = sink.events()
    assert event["success"] is True
    assert event["response_time_ms"] >= 0
    assert (event["tenant_id"], event["agent_id"], event["release"]) == ("acme", "bot", "r1")
    (said,) = sink.events("feedback")
    assert (said["operation_id"], said["model_id"], said["rating"]) == (
        event["operation_id"],
        "m",
        5,
    )
    assert sink.sent[0].key == event["operation_id"].encode()
    assert dict(sink.sent[0].headers)["ce_id"] == event["event_id"].encode()


@pytest.mark.parametrize("capture", [False, True])
def test_an_exception_is_recorded_and_passes_on_its_words_only_as_content(capture: bool) -> None:
    sink = Sink()
    assay = client(sink, capture_content=capture)
    with pytest.raises(ValueError, match="no"), assay.operation("m"):
        raise ValueError("no")
    assay.close()
    (event,) = sink.events()
    assert (event["success"], event["error_type"]) == (False, "ValueError")
    assert event.get("error_message") == ("no" if capture else None)


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(0), GeneratorExit()]
)
def test_who_breaks_off_a_call_has_met_no_failure_of_the_model(error: BaseException) -> None:
    sink = Sink()
    assay = client(sink)
    with pytest.raises(type(error)), assay.operation("m"):
        raise error
    assay.close()
    (event,) = sink.events()
    assert (event["success"], event["metadata"]) == (True, {"finish_reason": "abandoned"})
    assert "error_type" not in event


@pytest.mark.parametrize("metadata", ["words", 17, ["a", "list"], object()])
def test_metadata_that_is_none_raises_nothing_into_the_agent(metadata: Any) -> None:
    assay = client(Sink())
    with assay.operation("m", metadata=metadata) as operation:
        operation.read(shapes.CHAT)
    assert operation.fields["metadata"] is metadata
    assay.close()


async def test_functions_are_measured_plain_and_async() -> None:
    sink = Sink()
    assay = client(sink)

    @assay.traced("plain")
    def plain(value: int) -> int:
        return value + 1

    @assay.traced("async")
    async def later(value: int) -> int:
        return value + 2

    assert plain(1) == 2
    assert await later(1) == 3
    assert (await assay.aflush()).delivered == 2
    assert [event["model_id"] for event in sink.events()] == ["plain", "async"]
    assay.close()


def test_a_retry_sends_the_same_bytes() -> None:
    sink = Sink(failures=2)
    assay = client(sink)
    assay.log(model_id="m", success=True, response_time_ms=1)
    assert assay.close().delivered == 1
    assert [batch[0].value for batch in sink.tried] == [sink.sent[0].value] * 3


def test_when_the_buffer_is_full_the_oldest_gives_way_and_is_counted() -> None:
    sink = Sink()
    sink.open.clear()
    assay = client(sink, max_buffer=10)
    for number in range(1_000):
        assay.log(model_id=str(number), success=True, response_time_ms=1)
    sink.open.set()
    result = assay.close()
    dropped = assay.counters.read()["dropped:buffer_full"]
    assert dropped > 0
    assert result.failed == dropped
    assert result.delivered + dropped == 1_000
    assert sink.events()[-1]["model_id"] == "999"


@pytest.mark.parametrize("most", [-1, 0, 1])
def test_a_buffer_of_next_to_nothing_holds_one_event(most: int) -> None:
    sink = Sink()
    assay = client(sink, max_buffer=most)
    for _ in range(3):
        assay.log(model_id="m", success=True, response_time_ms=1)
        assert assay.flush() == (1, 0, 0)
    assert assay.close().complete


def test_nothing_gives_way_once_there_is_room_again() -> None:
    """Who saw a full buffer may be late: the thread, or another caller, was quicker."""
    buffer: deque[Given] = deque(Given("operations", n, {}) for n in range(3))
    books = Books(Counters(), lambda _: None, buffer)
    assert books.take(beyond=3) is None
    assert books.take(beyond=2) == Given("operations", 0, {})
    assert books.take(beyond=2) is None
    assert (len(buffer), books.ledger.taken) == (2, 1)


def test_what_a_thread_that_died_has_left_is_sent_when_somebody_waits_for_it() -> None:
    sink = Sink()
    assay = client(sink)
    assay._sender._buffer.append(Given("operations", 1, {"model_id": "left"}))
    assert assay.flush() == (1, 0, 0)
    assert assay.close().complete


@pytest.mark.parametrize(
    ("mask", "counter"),
    [
        (lambda _: None, "dropped:masked"),
        (lambda _: 1 / 0, "dropped:mask_failed"),
        (lambda _: sys.exit(), "dropped:mask_failed"),
        (lambda _: 17, "dropped:mask_failed"),
    ],
)
def test_what_the_mask_holds_back_never_leaves(mask: Any, counter: str) -> None:
    sink = Sink()
    assay = client(sink, mask=mask)
    assay.log(model_id="m", success=True, response_time_ms=1)
    assert assay.close().failed == 1
    assert sink.tried == []
    assert assay.counters.read() == {counter: 1}


def test_content_is_sent_only_when_asked_for() -> None:
    for capture in (False, True):
        sink = Sink()
        assay = client(sink, capture_content=capture)
        assay.log(model_id="m", success=True, response_time_ms=1, input_text="hello")
        assay.close()
        assert ("input_text" in sink.events()[0]) == capture


def test_what_cannot_be_sent_is_counted_by_reason() -> None:
    sink = Sink()
    assay = client(sink)
    assay.log(model_id="m", success=True, response_time_ms=1, error_message="x" * 70_000)
    assay.log(model_id="m", success=True, response_time_ms=1, metadata={"a": object()})
    assert assay.close() == (0, 2, 0)
    assert assay.counters.read() == {"dropped:too_large": 1, "dropped:invalid": 1}


def test_what_ends_threads_amid_an_event_costs_that_event_alone() -> None:
    def leaving() -> Iterator[int]:
        yield 1
        sys.exit()

    sink = Sink()
    assay = client(sink)
    for metadata in ({"words": leaving()}, {}):
        assay.log(model_id="m", success=True, response_time_ms=1, metadata=metadata)
    assert assay.close() == (1, 1, 0)
    assert assay.counters.read() == {"sent": 1, "dropped:invalid": 1}


def test_a_silent_transport_leaves_an_honest_result() -> None:
    sink = Sink()
    sink.open.clear()
    assay = client(sink)
    assay.log(model_id="m", success=True, response_time_ms=1)
    assert assay.flush(0.05) == (0, 0, 1)
    sink.open.set()
    assert assay.close().complete


def test_a_child_process_does_not_send_its_parents_events() -> None:
    sink = Sink()
    sink.open.clear()
    assay = client(sink)
    assay.log(model_id="parent", success=True, response_time_ms=1)
    child = os.fork()
    if child == 0:
        sink.open = threading.Event()
        sink.open.set()
        assay.log(model_id="child", success=True, response_time_ms=1)
        assay.flush(5)
        models = [event["model_id"] for event in sink.events()]
        os._exit(0 if models == ["child"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    sink.open.set()
    assert assay.close().delivered == 1


def test_ids_are_version_7_and_ordered() -> None:
    ids = [uuid7() for _ in range(10_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(UUID(one).version, UUID(one).variant) for one in ids} == {(7, RFC_4122)}
    assert all(str(UUID(one)) == one for one in ids)


def test_agents_that_seed_the_same_chance_get_other_ids() -> None:
    tails = []
    for _ in range(2):
        random.seed(17)
        tails.append(uuid7()[19:])
    assert tails[0] != tails[1]


def test_the_import_waits_for_nothing_heavy() -> None:
    heavy = "import sys, assay_sdk; print({'pydantic_core', 'aiokafka'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_a_unit_is_told_of_once_and_only_when_it_takes_part() -> None:
    sink = Sink()
    assay = client(sink)
    halves = (Variant("a", 0.5, is_control=True), Variant("b", 0.5))
    running = Experiment("e", "s", halves, traffic=0.5, test_id="t")
    for _ in range(2):
        given = {f"u-{n}": assay.assignment(running, f"u-{n}") for n in range(50)}
    assay.assignment(running, "quiet", expose=False)
    assay.assignment(Experiment("e", "s", halves), "of no test")
    assert assay.close().complete
    told = {one["unit_id"]: one["variant"] for one in sink.events("exposures")}
    assert told == {
        unit: variant.key for unit, (variant, takes_part) in given.items() if takes_part
    }
    assert len(sink.events("exposures")) == len(told)
    first = next(one for one in sink.sent if one.kind == "exposures")
    event = json.loads(first.value)
    assert (event["test_id"], event["epoch"]) == ("t", 1)
    assert first.key.decode() == event["event_id"]


@pytest.mark.parametrize("unit", ["a\x1fb", "a\x00b", "\ud800", "x" * 129, 17, None, b"u", ["u"]])
def test_what_can_name_no_unit_gets_the_control_and_is_counted(unit: Any) -> None:
    sink = Sink()
    assay = client(sink)
    halves = (Variant("a", 0.5, is_control=True), Variant("b", 0.5))
    running = Experiment("e", "s", halves, test_id="t")
    assert assay.assignment(running, unit) == (halves[0], False)
    assert assay.counters.read() == {"unfit_units": 1}
    over = Experiment("e", "s", halves, running=False, winner="b", test_id="t")
    assert assay.assignment(over, unit) == (halves[1], False)
    assert assay.close() == (0, 0, 0)


@pytest.mark.parametrize(
    "unit", ["u-1", "x" * 128, "x" * 129, "a\x1fb", "a\x00b", "\ud800", "\U0001f600" * 128, " \n"]
)
def test_the_client_takes_for_a_unit_what_the_gateway_does(unit: str) -> None:
    assert is_unit(unit) == (unfit(unit) is None)


EVERYBODY = Experiment(
    "e", "s", (Variant("a", 0.5, is_control=True), Variant("b", 0.5)), test_id="t"
)


def test_an_operation_is_named_once_whoever_asks_first() -> None:
    """The sender's thread names it unless somebody asked before; both may come at once."""
    sink = Sink()
    assay = client(sink)
    asked = []
    for number in range(300):
        with assay.operation("m") as operation:
            early = operation.operation_id if number % 3 == 0 else None
        if number % 3 == 1:
            assay.flush()
        asked.append(operation.operation_id)
        assert early in {None, asked[-1]}
    assert assay.close().complete
    assert [one["operation_id"] for one in sink.events()] == asked
    assert len(set(asked)) == 300


def test_a_name_is_the_same_for_all_who_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    together, making = threading.Barrier(2), threading.Barrier(2)
    made = []

    def slowly() -> str:
        made.append(uuid7())
        with contextlib.suppress(threading.BrokenBarrierError):
            making.wait(0.2)  # without a lock both would be here
        return made[-1]

    name, found = Name(), list[str]()

    def ask() -> None:
        together.wait()
        found.append(str(name))

    monkeypatch.setattr(ids, "uuid7", slowly)
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [made[0]] * 2
    assert len(made) == 1


def told_of(sink: Sink) -> list[str]:
    return [one["unit_id"] for one in sink.events("exposures")]


def test_an_exposure_that_gave_way_in_a_full_buffer_is_told_at_the_next_evaluation() -> None:
    sink = Sink()
    sink.open.clear()
    assay = client(sink, max_buffer=5)
    units = [f"u-{number}" for number in range(100)]
    for unit in units:
        assay.assignment(EVERYBODY, unit)
    sink.open.set()
    assert assay.flush().failed > 0
    for unit in units:
        assay.assignment(EVERYBODY, unit)
        assay.flush()
    assay.close()
    assert sorted(told_of(sink)) == sorted(units)


@pytest.mark.parametrize("held_back", [lambda _: None, lambda _: 1 / 0, lambda _: {"a": object()}])
def test_an_exposure_that_could_not_leave_is_told_at_the_next_evaluation(held_back: Any) -> None:
    sink = Sink()
    masks = [held_back]
    assay = client(sink, mask=lambda fields: masks.pop()(fields) if masks else fields)
    for failed in (1, 0, 0):
        assay.assignment(EVERYBODY, "u-1")
        assert assay.flush().failed == failed
    assay.close()
    assert told_of(sink) == ["u-1"]


def test_an_exposure_that_was_not_delivered_at_the_close_is_told_at_the_next_evaluation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courier, "MOST_WAIT_S", 0.02)
    sink = Sink(failures=1_000)
    assay = client(sink)
    assay.assignment(EVERYBODY, "u-1")
    assay.close(0.5)
    assert assay.counters.read() == {"dropped:closed": 1}
    sink.failures = 0
    for _ in range(2):
        assay.assignment(EVERYBODY, "u-1")
    assert assay.close().delivered == 1
    assert told_of(sink) == ["u-1"]


class Gateway(HttpTransport):
    """Answers each post as it is told; `None` is somebody without a body."""

    def __init__(self, *answers: tuple[int, dict[str, Any] | None]) -> None:
        super().__init__("http://localhost", "key")
        self.answers = list(answers)
        self.posted: list[list[str]] = []

    def _exchange(self, path: str, body: bytes) -> tuple[int, str, bytes]:
        assert path == "/ai/exposures/log"
        self.posted.append([one["unit_id"] for one in json.loads(body)])
        status, said = self.answers.pop(0)
        return status, "", json.dumps(said).encode()


def partly(*refused: int, of: int) -> dict[str, Any]:
    errors = [{"index": place} for place in refused]
    return {"accepted": of - len(refused), "rejected": len(refused), "errors": errors}


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param((422, {}), ["u-0", "u-1", "u-2"], id="all were refused"),
        pytest.param((202, partly(1, of=3)), ["u-1"], id="one was, and is named"),
    ],
)
def test_an_exposure_that_was_refused_is_told_at_the_next_evaluation(
    first: tuple[int, dict[str, Any]], again: list[str]
) -> None:
    units = ["u-0", "u-1", "u-2"]
    gateway = Gateway(first, (202, partly(of=len(again))))
    started = threading.Event()

    def transport() -> HttpTransport:
        started.wait()  # all three go in one post
        return gateway

    assay = Assay(transport, tenant_id="acme")
    for _ in range(3):
        for unit in units:
            assay.assignment(EVERYBODY, unit)
        started.set()
        assay.flush()
    assert gateway.posted == [units, again]
    assert assay.close().pending == 0


def test_where_a_transport_does_not_say_who_was_refused_all_are_told_again() -> None:
    class Vague(Sink):
        async def send(self, events: Sequence[Encoded]) -> Sent:
            sent = await super().send(events)
            return Sent(sent.taken - 1, 1) if len(self.tried) == 1 else sent

    sink = Vague()
    assay = client(sink)
    for _ in range(3):
        assay.assignment(EVERYBODY, "u-1")
        assay.flush()
    assay.close()
    assert told_of(sink) == ["u-1", "u-1"]
