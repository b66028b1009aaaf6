"""The client records what happens and never gets in its way."""

import asyncio
import json
import os
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from assay_sdk import Assay, Epoch, Experiment, Variant
from assay_sdk.events import Encoded
from assay_sdk.exposures import Told
from assay_sdk.ids import uuid7
from assay_sdk.transports import Later, Sent
from shared.events.exposure import ExposureEvent


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


def test_an_exception_is_recorded_and_passes_on() -> None:
    sink = Sink()
    assay = client(sink)
    with pytest.raises(ValueError, match="no"), assay.operation("m"):
        raise ValueError("no")
    assay.close()
    (event,) = sink.events()
    assert (event["success"], event["error_type"], event["error_message"]) == (
        False,
        "ValueError",
        "no",
    )


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


@pytest.mark.parametrize(
    ("mask", "counter"),
    [(lambda _: None, "dropped:masked"), (lambda _: 1 / 0, "dropped:mask_failed")],
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
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}


def halves(**changes: Any) -> Experiment:
    """A test that everybody takes part in, with an epoch before it that took in half of them."""
    epochs = [Epoch(f"s{n}", [0.5, 0.5], [(0, end)]) for n, end in ((1, 5_000), (2, 10_000))]
    variants = [Variant("a", 0.5, is_control=True, model_id="m-1"), Variant("b", 0.5, False, "m-2")]
    return Experiment(
        "checkout-model", "", variants, **{"epochs": epochs, "test_id": "t-1"} | changes
    )


def test_who_is_shown_a_variant_is_told_of_once() -> None:
    sink = Sink()
    assay = client(sink)
    placed = {
        f"u-{n % 20}": assay.assignment(halves(), f"u-{n % 20}", expose=True) for n in range(60)
    }
    assert assay.close().complete
    exposures = sink.events("exposures")
    assert len(exposures) == 20
    for one in exposures:
        variant, takes_part = placed[one["unit_id"]]
        assert (one["variant"], takes_part) == (variant.key, True)
        assert one["context"] == {"via": "sdk", "model_id": variant.model_id}
        ExposureEvent.model_validate_json(json.dumps(one))
    assert {one["test_id"] for one in exposures} == {"t-1"}
    assert {one["epoch"] for one in exposures} == {1, 2}
    keys = [event.key.decode() for event in sink.sent]
    assert keys == [one["event_id"] for one in exposures]
    assert dict(sink.sent[0].headers)["ce_type"] == b"dev.assay.experiment.exposed.v1"


def test_nobody_is_told_of_who_only_asked_or_takes_no_part() -> None:
    sink = Sink()
    assay = client(sink)
    for number in range(20):
        unit = f"u-{number}"
        assay.assignment(halves(), unit)
        assay.assignment(halves(running=False), unit, expose=True)
        assay.assignment(halves(epochs=[Epoch("s", [0.5, 0.5], [])]), unit, expose=True)
    assay.assignment(halves(), "", expose=True)
    assay.assignment(halves(test_id=""), "u-1", expose=True)
    assert assay.close().complete
    assert sink.events("exposures") == []
    assert assay.counters.read() == {"dropped:no_test_id": 1}


def test_an_exposure_may_be_told_by_hand() -> None:
    sink = Sink()
    assay = client(sink)
    assay.exposure("t-1", "u-1", "b", page="checkout")
    assay.exposure("t-1", "u-1", "b")
    assert assay.close().complete
    first, second = sink.events("exposures")
    assert (first["unit_id"], first["variant"], first["context"]["page"]) == (
        "u-1",
        "b",
        "checkout",
    )
    assert "epoch" not in first
    assert first["event_id"] != second["event_id"]


def test_what_was_told_long_ago_is_forgotten() -> None:
    told = Told(most=2)
    assert [told.is_new(("t", unit, "a")) for unit in "xyxzxy"] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
