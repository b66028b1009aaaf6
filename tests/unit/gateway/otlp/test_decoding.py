"""Bodies that are read, and bodies that are refused with 400 or 413, never with an exception."""

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.domain.otlp.decoding import (
    MAX_UNPACKED,
    MOST_MEMBERS,
    MOST_NODES,
    Encoding,
    logs_of,
    spans_of,
    unpacked,
)
from services.gateway.domain.problems import Problem
from tests.unit.gateway.otlp.reading import judged

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
NAMES = st.sampled_from(
    [
        *("resourceSpans", "resourceLogs", "scopeSpans", "scopeLogs", "spans", "logRecords"),
        *("resource", "attributes", "key", "value", "stringValue", "intValue", "doubleValue"),
        *("arrayValue", "kvlistValue", "values", "traceId", "spanId", "links", "events", "status"),
        *("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "name", "kind", "code"),
    ]
)
NEARLY = st.recursive(
    JSON, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=40
)


def refused(read: Any, *what: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        read(*what)
    return caught.value


def status_of(body: bytes, encoding: Encoding = Encoding.JSON, *, logs: bool = False) -> int:
    try:
        judged(body, encoding, logs=logs)
    except Problem as problem:
        return problem.status
    return 200


def one(**members: Any) -> bytes:
    span = {"traceId": TRACE, "spanId": SPAN, **members}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def first(body: bytes) -> Any:
    return spans_of(body, Encoding.JSON).resource_spans[0].scope_spans[0].spans[0]


@pytest.mark.parametrize(
    "given_id",
    [TRACE, TRACE.upper(), base64.b64encode(bytes.fromhex(TRACE)).decode()],
    ids=["hex", "capitals", "base64"],
)
def test_ids_are_hex_and_base64_is_tolerated(given_id: str) -> None:
    linked = [{"traceId": given_id, "spanId": SPAN}]
    span = first(one(traceId=given_id, parentSpanId=SPAN, links=linked))
    assert span.trace_id.hex() == span.links[0].trace_id.hex() == TRACE
    assert span.span_id.hex() == span.parent_span_id.hex() == SPAN


@pytest.mark.parametrize("given_id", ["", "12", "zz", TRACE[:-1], TRACE + "00", "é"])
def test_an_id_that_is_none_is_left_empty(given_id: str) -> None:
    assert first(one(traceId=given_id)).trace_id == b""


def test_unknown_members_and_numbers_as_texts_are_read() -> None:
    span = first(one(endTimeUnixNano="17", kind=3, later={"x": 1}))
    assert (span.end_time_unix_nano, span.kind) == (17, 3)
    assert first(one(endTimeUnixNano=17, kind="SPAN_KIND_CLIENT")).kind == 3


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"3", b"null", b'"x"', b"\xff\xfe", b'{"resourceSpans": 3}'),
        *(b'{"resourceSpans": [3]}', b'{"resourceSpans": {"a": 1}}', one(name=5), one(links=3)),
        *(one(startTimeUnixNano=-1), one(startTimeUnixNano=2**64), one(traceId=5)),
        *(b'{"resourceSpans":' * 500, b"[" * 100_000, one(name="x")[:-9] + b'"\\ud800"'),
        one(attributes=[{"key": "k", "value": {"stringValue": ["x"]}}]),
    ],
)
def test_what_is_no_request_in_json_is_400(body: bytes) -> None:
    assert refused(spans_of, body, Encoding.JSON).status == 400


@pytest.mark.parametrize("body", [b"{}", b"\xff" * 9, b"\x0a\x05ab", b"\x0a\x04\x12\x02\x12\x7f"])
def test_what_is_no_request_in_protobuf_is_400(body: bytes) -> None:
    assert refused(spans_of, body, Encoding.PROTOBUF).status == 400
    assert refused(logs_of, body, Encoding.PROTOBUF).status == 400


def test_a_text_that_is_no_utf_8_is_400_in_protobuf() -> None:
    name = spans_of(one(name="abcdef"), Encoding.JSON).SerializeToString()
    broken = name.replace(b"abcdef", b"abc\xffef")
    assert refused(spans_of, broken, Encoding.PROTOBUF).status == 400


@pytest.mark.parametrize("depth", [20, 45, 60, 120, 250])
def test_values_of_any_depth_are_read_or_refused(depth: int) -> None:
    value: dict[str, Any] = {"stringValue": "x"}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
    attributes = [{"key": name, "value": value} for name in ("gen_ai.operation.name", "user.id")]
    assert status_of(one(attributes=attributes)) in {200, 400}


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_problem(body: bytes) -> None:
    for encoding in Encoding:
        for logs in (False, True):
            assert status_of(body, encoding, logs=logs) in {200, 400}


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(st.dictionaries(NAMES, NEARLY))
def test_no_json_raises_anything_but_a_problem(content: Any) -> None:
    for logs in (False, True):
        body = json.dumps(content).encode()
        assert status_of(body, logs=logs) in {200, 400}


def test_json_of_very_many_parts_is_413_before_it_is_read() -> None:
    body = b'{"resourceSpans":[' + b"{}," * MOST_NODES + b"{}]}"
    assert status_of(body) == 413


def test_gzip_is_unpacked_also_in_several_members() -> None:
    brought: list[int] = []
    packed = gzip.compress(b"a" * 100_000) + gzip.compress(b"b")
    assert unpacked(packed, brought.append) == b"a" * 100_000 + b"b"
    assert sum(brought) == 100_001


def test_a_gzip_bomb_is_413_before_it_is_unpacked() -> None:
    brought: list[int] = []
    bomb = gzip.compress(bytes(200 * MAX_UNPACKED))
    assert refused(unpacked, bomb, brought.append).status == 413
    assert sum(brought) <= MAX_UNPACKED + 64 * 1024


@pytest.mark.parametrize(
    "packed",
    [
        *(b"", b"x", b"no gzip at all", gzip.compress(b"abc")[:-1], gzip.compress(b"abc")[:5]),
        *(gzip.compress(b"abc") + b"rest", gzip.compress(b"") * (MOST_MEMBERS + 1)),
    ],
)
def test_broken_gzip_is_400(packed: bytes) -> None:
    assert refused(unpacked, packed, lambda _: None).status == 400
