"""Whatever a span says of itself, judging it ends in events, or in a reason."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from services.gateway.domain.otlp import names
from services.gateway.domain.otlp.decoding import Encoding
from services.gateway.domain.otlp.judging import MOST_ITEMS
from services.gateway.domain.problems import Problem
from shared.events.base import MAX_EVENT_BYTES, MAX_TEXT_BYTES
from tests.unit.gateway.otlp.reading import NOON, as_it_is, judged

END = int(NOON.timestamp()) * 10**9
CHATS = ["[]", "{}", "[1]", '[{"role": 3}]', '[{"role":"user","parts":[]}]', "[[[[", "NaN", "null"]
LEAVES = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=st.text(max_size=200)),
    st.builds(AnyValue, string_value=st.sampled_from(CHATS)),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
    st.builds(AnyValue, double_value=st.floats()),
    st.builds(AnyValue, bytes_value=st.binary(max_size=50)),
)


def _list(items: list[AnyValue]) -> AnyValue:
    value = AnyValue()
    value.array_value.values.extend(items)
    value.array_value.SetInParent()
    return value


def _map(items: dict[str, AnyValue]) -> AnyValue:
    value = AnyValue()
    value.kvlist_value.values.extend(KeyValue(key=name, value=one) for name, one in items.items())
    value.kvlist_value.SetInParent()
    return value


TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4).map(_list)
        | st.dictionaries(st.text(max_size=9), inner, max_size=4).map(_map)
    ),
    max_leaves=12,
)
KNOWN = st.sampled_from(
    sorted(
        {
            *(*names.MODEL, *names.ACTOR, *names.COST, *names.FIRST_CHUNK_S, *names.PARAMETERS),
            *(*names.IS_GENAI, *names.OTHERS_KINDS, *names.INPUT, *names.OUTPUT),
            *(name for group in names.LABELS.values() for name in group),
            *(name for group in names.TOKENS.values() for name in group),
            *(names.OWN + name for name in (*names.LABELS, *names.TOKENS, "input_text")),
            *("assay.metadata.x", "assay.confidence", "gen_ai.system_instructions", "content"),
            *("llm.input_messages.0.message.content", "llm.invocation_parameters", "message"),
            *("gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "error.type"),
            *("gen_ai.evaluation.score.label", "gen_ai.evaluation.explanation"),
            *("annotations.0.annotation.name", "annotations.0.annotation.score"),
            *("exception.type", "exception.message", "mlflow.chat.tokenUsage"),
        }
    )
)
ATTRIBUTES = st.dictionaries(KNOWN, TREES, max_size=12)
EVENTS = st.sampled_from(
    ["gen_ai.evaluation.result", "gen_ai.user.message", "gen_ai.choice", "exception", "other"]
)
TIMES = st.sampled_from([0, 1, END - 10**9, END, END + 10**18, 2**64 - 1])


def pairs(attributes: dict[str, AnyValue]) -> list[KeyValue]:
    return [KeyValue(key=name, value=value) for name, value in attributes.items()]


@settings(max_examples=400)
@given(
    attributes=ATTRIBUTES,
    inner=ATTRIBUTES,
    around=ATTRIBUTES,
    event=EVENTS,
    times=st.tuples(TIMES, TIMES, TIMES),
    status=st.integers(-3, 5),
)
def test_any_tree_of_values_is_judged(
    attributes: dict[str, AnyValue],
    inner: dict[str, AnyValue],
    around: dict[str, AnyValue],
    event: str,
    times: tuple[int, int, int],
    status: int,
) -> None:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(pairs(around))
    span = resource.scope_spans.add().spans.add(
        trace_id=b"t" * 16,
        span_id=b"s" * 8,
        start_time_unix_nano=times[0],
        end_time_unix_nano=times[1],
        attributes=pairs({"gen_ai.system": AnyValue(string_value="x")} | attributes),
    )
    span.status.code = status  # type: ignore[assignment]
    span.events.add(name=event, time_unix_nano=times[2], attributes=pairs(inner))
    found = judged(request.SerializeToString(), Encoding.PROTOBUF, keep=as_it_is)
    assert len(found.operations) + found.rejected == 1
    assert not found.rejected or found.message
    assert all(len(one.value) <= MAX_EVENT_BYTES for one in found.operations)


def spans(count: int, **attributes: str) -> bytes:
    said = [{"key": name, "value": {"stringValue": text}} for name, text in attributes.items()]
    made = [
        {
            "traceId": "5b8efff798038103d269b633813fc60c",
            "spanId": f"{place + 1:016x}",
            "startTimeUnixNano": END - 10**9,
            "endTimeUnixNano": END,
            "attributes": [*said, {"key": "gen_ai.request.model", "value": {"stringValue": "m"}}],
        }
        for place in range(count)
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": made}]}]}).encode()


def operation(keep: Any = as_it_is, **attributes: str) -> tuple[dict[str, Any], str]:
    found = judged(spans(1, **attributes), keep=keep)
    return json.loads(found.operations[0].value), found.message


def test_ten_thousand_spans_are_one_request() -> None:
    found = judged(spans(10_000))
    assert len(found.operations) == len({one.event_id for one in found.operations}) == 10_000


def test_millions_of_empty_spans_are_refused_before_they_are_looked_at() -> None:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for _ in range(MOST_ITEMS):
        scope.spans.add()
    with pytest.raises(Problem) as caught:
        judged(request.SerializeToString(), Encoding.PROTOBUF)
    assert caught.value.status == 413


def test_a_text_that_is_too_long_is_left_out_and_said_so() -> None:
    event, message = operation(**{"input.value": "x" * (MAX_TEXT_BYTES + 1), "output.value": "y"})
    assert "input_text" not in event
    assert event["output_text"] == "y"
    assert "a text is left out" in message


def test_texts_that_are_too_large_together_are_left_out() -> None:
    long = '"' * MAX_TEXT_BYTES  # twice as long in JSON
    event, message = operation(**{"input.value": long, "output.value": long})
    assert not event.keys() & {"input_text", "output_text"}
    assert "too large with them" in message


def test_what_is_too_long_to_name_anything_is_left_out_and_not_cut() -> None:
    event, message = operation(**{"user.id": "u" * 129, "error.type": "E" * 500})
    assert "user_id" not in event
    assert "user.id is left out" in message
    assert event["error_type"] == "E" * 128


def test_a_span_of_a_library_beside_genai_is_no_operation() -> None:
    body = spans(1, **{"http.request.method": "GET"}).replace(b"gen_ai.request.model", b"url.full")
    assert judged(body) == ([], [], 0, "")


def test_what_a_resource_says_makes_no_operation_of_its_spans() -> None:
    body = json.loads(spans(1).replace(b"gen_ai.request.model", b"url.full"))
    said = [
        {"key": name, "value": {"stringValue": "chat"}}
        for name in ("gen_ai.operation.name", "gen_ai.system", "openinference.span.kind")
    ]
    body["resourceSpans"][0]["resource"] = {"attributes": said}
    assert judged(json.dumps(body).encode()) == ([], [], 0, "")


def test_own_names_go_before_the_conventions() -> None:
    event, _ = operation(
        **{
            "assay.model_id": "mine",
            "assay.variant": "b",
            "assay.input_tokens": "3",
            "gen_ai.response.model": "theirs",
            "gen_ai.usage.input_tokens": "9",
            "assay.metadata.team": "search",
            "llm.model_name": "others",
        }
    )
    assert (event["model_id"], event["variant"], event["input_tokens"]) == ("mine", "b", 3)
    assert event["metadata"]["team"] == "search"


def test_system_instructions_stand_before_the_chat() -> None:
    event, _ = operation(
        **{
            "gen_ai.system_instructions": '[{"type":"text","content":"Be kind."}]',
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
        }
    )
    assert [one["role"] for one in json.loads(event["input_text"])] == ["system", "user"]
