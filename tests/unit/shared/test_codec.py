"""The codec: one verdict for everything that can arrive, and never another exception."""

import json
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from shared.codec import LOG_APPEND_TIME, decode, fingerprint, microseconds, parse
from shared.errors import InvalidRecordError, Reason
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from tests.support.events import encoded, operation
from tests.support.poison import poison
from tests.support.records import record

NOW = datetime.now(UTC)
FUZZED = 100_000


def verdict(value: bytes | None, headers: Any = ()) -> str:
    try:
        event, _ = decode(OperationEvent, record(value, headers), microseconds(NOW), None)
    except InvalidRecordError as error:
        return error.reason.value
    assert_storable(event)
    return "accepted"


def assert_storable(event: OperationEvent) -> None:
    """What was accepted can be stored: UTF-8 without NUL, finite, within bounds."""
    text = to_json(event).decode()
    assert "\\u0000" not in text
    assert math.isfinite(event.response_time_ms)
    fingerprint(event)


@pytest.mark.parametrize(
    "bad", [pytest.param(one, id=f"{n}-{one[0]}") for n, one in enumerate(poison(1))]
)
def test_every_kind_of_poison_has_its_reason(bad: Any) -> None:
    reason, value, headers = bad
    assert verdict(value, headers) == ("accepted" if reason == "unknown_tenant" else reason)


def test_a_hundred_thousand_fuzzed_inputs_raise_nothing_else() -> None:
    chance = random.Random(20261123)
    good = [encoded(operation(number)) for number in range(50)]
    bad = [value for _, value, _ in poison(1) if value and len(value) < 5_000]
    pieces = [b'"', b"{", b"}", b"[", b"\\u0000", b"\\ud800", b"NaN", b"1e999", b"null", b"\xff"]
    pieces += [b"-", b"99999999999999999999", b'"event_id"', b",", b":", b"\\", b"\0", b"true"]
    seen = {verdict(_mutated(chance, good + bad, pieces)) for _ in range(FUZZED)}
    assert {"accepted", "invalid_json", "invalid_field", "missing_field", "bad_encoding"} <= seen


def _mutated(chance: random.Random, seeds: list[bytes], pieces: list[bytes]) -> bytes:
    value = bytearray(chance.choice(seeds))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(value) + 1)
        match chance.randrange(4):
            case 0:
                value[at:at] = chance.choice(pieces)
            case 1:
                del value[at : at + chance.randrange(1, 12)]
            case 2:
                value[at : at + 1] = bytes([chance.randrange(256)])
            case _:
                value[at:at] = value[: chance.randrange(40)]
    return bytes(value)


@given(st.binary(max_size=200))
def test_any_bytes_get_a_verdict(value: bytes) -> None:
    assert verdict(value) != "accepted"


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner)
)


@given(st.sampled_from(sorted(OperationEvent.model_fields)), documents)
def test_any_json_in_any_field_gets_a_verdict(name: str, value: Any) -> None:
    verdict(json.dumps(operation(1) | {name: value}).encode())


@given(st.lists(st.tuples(st.text(max_size=8), st.none() | st.binary(max_size=8)), max_size=4))
def test_any_headers_get_a_verdict(headers: list[tuple[str, bytes | None]]) -> None:
    assert verdict(encoded(operation(1)), headers) in {"accepted", "bad_header", "missing_field"}


def test_explicit_null_is_absent_and_nul_is_stripped() -> None:
    event = parse(
        OperationEvent,
        json.dumps(operation(1) | {"environment": None, "agent_id": "a\0b"}).encode(),
    )
    assert (event.environment, event.agent_id) == ("production", "ab")


def test_a_structured_cloud_event_is_unwrapped() -> None:
    inner = operation(1)
    outer = {"specversion": "1.0", "id": inner["event_id"], "source": "/x", "data": inner}
    headers = [("content-type", b"application/cloudevents+json; charset=utf-8")]
    assert verdict(json.dumps(outer).encode(), headers) == "accepted"
    assert verdict(json.dumps(outer | {"id": "other"}).encode(), headers) == "bad_header"


def test_the_brokers_own_stamp_judges_time_the_same_at_every_replay() -> None:
    value = encoded(operation(1, occurred_at="2026-01-01T12:00:00Z"))
    stamped = datetime(2026, 1, 2, tzinfo=UTC).timestamp() * 1000
    replayed = record(value, timestamp=int(stamped), timestamp_type=LOG_APPEND_TIME)
    event, at_us = decode(OperationEvent, replayed, microseconds(NOW + timedelta(days=300)), None)
    assert event.model_id == "model-1"
    assert at_us == datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp() * 1e6


def test_fingerprints_ignore_formatting_and_see_content() -> None:
    event = operation(1)
    plain = parse(OperationEvent, encoded(event))
    spaced = parse(OperationEvent, json.dumps(dict(reversed(event.items())), indent=3).encode())
    other = parse(OperationEvent, encoded(event | {"success": not event["success"]}))
    assert fingerprint(plain) == fingerprint(spaced) != fingerprint(other)


def test_a_reason_names_the_field_and_never_the_value() -> None:
    with pytest.raises(InvalidRecordError) as caught:
        parse(OperationEvent, encoded(operation(1, confidence="my secret")))
    assert caught.value.pointer == "/confidence"
    assert "secret" not in caught.value.detail


def test_feedback_must_say_something() -> None:
    value = {**{k: operation(1)[k] for k in ("event_id", "tenant_id", "occurred_at")}}
    value["operation_id"] = "op"
    with pytest.raises(InvalidRecordError) as caught:
        parse(FeedbackEvent, json.dumps(value).encode())
    assert caught.value.reason is Reason.MISSING_FIELD
