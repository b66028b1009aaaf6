"""OTLP over HTTP the whole way: taken in, stored, counted once, and every way of being refused."""

import gzip
import os
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from services.gateway.domain.otlp.decoding import MAX_UNPACKED, Encoding
from tests.integration.gateway.callers import Clients
from tests.integration.gateway.spans import evaluation, logs, protobuf, reason, span, traces
from tests.support.waiting import eventually

TRACES, LOGS, METRICS = "/v1/traces", "/v1/logs", "/v1/metrics"
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}
MANY = 10_000
MODEL = "gen_ai.request.model"


async def stored(clients: Clients, model: str, count: int) -> list[Any]:
    async def found() -> Any:
        answer = await clients.viewer.get(f"/ai/operations?model_id={model}")
        items = answer.json()["items"]
        return items if len(items) == count else None

    return list(await eventually(found, why=f"{count} operations of {model} are stored"))


async def sample(clients: Clients, model: str) -> int | None:
    found = (await clients.viewer.get(f"/ai/metrics/{model}")).json().get("sample")
    return None if found is None else int(found)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("headers", [PROTOBUF, JSON], ids=["protobuf", "json"])
async def test_a_span_is_an_operation_and_a_repeat_is_none(
    clients: Clients, headers: dict[str, str], packed: bool
) -> None:
    is_json = headers is JSON
    model, trace = f"way-{is_json}-{packed}", 1 + 2 * is_json + packed
    used = {"gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 3, "user.id": "u"}
    body = traces(span(trace, 1, {MODEL: model, **used}))
    body = body if is_json else protobuf(body)
    if packed:
        body, headers = gzip.compress(body), headers | GZIP
    for _ in range(3):
        answer = await clients.agent.post(TRACES, content=body, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"{}" if is_json else b"")
        assert answer.headers["content-type"] == headers["content-type"]
    (row,) = await stored(clients, model, 1)
    assert row["operation_id"] == f"{trace:032x}-{1:016x}"
    assert (row["input_tokens"], row["output_tokens"], row["success"]) == (12, 3, True)
    assert (row["operation_type"], row["response_time_ms"]) == ("chat", 250)
    assert row["user_pseudonym"].startswith("v1.")

    async def counted() -> bool:
        return await sample(clients, model) == 1

    await eventually(counted, why="it is counted once")
    last = traces(span(trace, 2, {MODEL: model}))
    await clients.agent.post(TRACES, content=last, headers=JSON)

    async def both() -> bool:
        return await sample(clients, model) == 2

    # What was sent before it was read before it, so repeats would have been counted by now.
    await eventually(both, why="the repeats are not")
    assert len(await stored(clients, model, 2)) == 2


async def test_what_is_refused_for_good_is_told_and_the_rest_is_taken(clients: Clients) -> None:
    good, bad = span(20, 1, {MODEL: "partly"}), span(20, 0, {MODEL: "partly"})
    http = span(20, 0, {}, attributes=[])
    body = traces(good, bad, http)
    answer = await clients.agent.post(TRACES, content=body, headers=JSON)
    told = answer.json()["partialSuccess"]
    assert (answer.status_code, told["rejectedSpans"]) == (200, "1")
    assert "span id" in told["errorMessage"]
    answer = await clients.agent.post(TRACES, content=protobuf(body), headers=PROTOBUF)
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (partial.rejected_spans, partial.error_message) == (1, told["errorMessage"])
    await stored(clients, "partly", 1)


async def test_evaluations_are_feedback(clients: Clients) -> None:
    judged = span(30, 1, {MODEL: "judged"}, events=[])
    records = [
        evaluation(
            30, 1, {"name": "Relevance", "score.value": 0.9, "explanation": "To the point."}
        ),
        evaluation(30, 1, {"name": "rating", "score.value": 4.0}),
        evaluation(30, 1, {"name": "toxicity", "score.value": 0.1}),
        evaluation(30, 1, {"name": "nothing"}),
    ]
    await clients.agent.post(TRACES, content=traces(judged), headers=JSON)
    for _ in range(2):
        body = protobuf(logs(*records))
        answer = await clients.agent.post(LOGS, content=body, headers=PROTOBUF)
        assert answer.status_code == 200
        partial = ExportLogsServiceResponse.FromString(answer.content).partial_success
        assert partial.rejected_log_records == 1
        assert "score" in partial.error_message

    async def said() -> Any:
        query = f"operation_id={30:032x}-{1:016x}"
        found = (await clients.viewer.get(f"/ai/feedback?{query}")).json()["items"]
        is_read = all(one["superseded"] is not None for one in found)
        return found if len(found) == 3 and is_read else None

    items = await eventually(said, why="the feedback is stored and read")
    by_comment = {one["comment"]: one for one in items}
    assert by_comment["To the point."]["relevant"] is True
    assert by_comment["To the point."]["source"] == "model"
    assert by_comment[None]["rating"] == 4
    assert by_comment["toxicity: 0.1"]["metadata"] == {"toxicity": 0.1}
    assert {one["superseded"] for one in items} == {False}


async def test_ten_thousand_spans_at_once_are_stored_and_counted(clients: Clients) -> None:
    body = protobuf(traces(*(span(40, place, {MODEL: "many"}) for place in range(1, MANY + 1))))
    headers = PROTOBUF | GZIP
    answer = await clients.agent.post(TRACES, content=gzip.compress(body), headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")

    async def counted() -> bool:
        return await sample(clients, "many") == MANY

    await eventually(counted, why="all are counted", deadline_s=60)


async def test_metrics_are_answered_and_dropped(clients: Clients) -> None:
    answer = await clients.agent.post(METRICS, content=b"", headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    answer = await clients.agent.post(METRICS, content=b"{}", headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})


@pytest.mark.parametrize("path", [TRACES, LOGS, METRICS])
@pytest.mark.parametrize("headers", [PROTOBUF, JSON], ids=["protobuf", "json"])
@pytest.mark.parametrize(
    ("who", "method", "more", "content", "status", "why"),
    [
        ("nobody", "POST", {}, b"", 401, "unauthenticated"),
        ("viewer", "POST", {}, b"", 403, "forbidden"),
        ("agent", "GET", {}, None, 405, "method-not-allowed"),
        ("agent", "POST", {}, bytes(1024 * 1024 + 1), 413, "too-large"),
    ],
)
async def test_refusals_are_in_the_words_of_otlp(
    clients: Clients,
    path: str,
    headers: dict[str, str],
    who: str,
    method: str,
    more: dict[str, str],
    content: bytes | None,
    status: int,
    why: str,
) -> None:
    client = getattr(clients, who)
    answer = await client.request(method, path, content=content, headers=headers | more)
    assert (answer.status_code, reason(answer)) == (status, why)
    assert answer.headers["content-type"] == headers["content-type"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", [TRACES, LOGS])
@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        (JSON, b"{", 400),
        (JSON, b"", 400),
        (JSON, b"[" * 100_000, 400),
        (JSON, b'{"resourceSpans": 3, "resourceLogs": 3}', 400),
        (JSON, b"\xff", 400),
        (PROTOBUF, b"{}", 400),
        (PROTOBUF, os.urandom(3) + b"\xff" * 9, 400),
        (JSON | GZIP, b"{}", 400),
        (PROTOBUF | GZIP, gzip.compress(b"abc")[:-2], 400),
        (PROTOBUF | GZIP, gzip.compress(bytes(100 * MAX_UNPACKED)), 413),
        (JSON | GZIP, gzip.compress(b" " * (MAX_UNPACKED + 1)), 413),
        (PROTOBUF | GZIP, gzip.compress(b"\x0a\x00" * 30_000), 413),
        (PROTOBUF | {"content-encoding": "deflate"}, b"", 415),
        ({"content-type": "text/plain"}, b"", 415),
    ],
)
async def test_hostile_bodies_are_refused_and_never_a_500(
    clients: Clients, path: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    answer = await clients.agent.post(path, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] in set(Encoding)
    assert reason(answer)


async def test_other_paths_take_no_gzip(clients: Clients) -> None:
    content = gzip.compress(b"{}")
    answer = await clients.agent.post("/ai/operations/log", content=content, headers=JSON | GZIP)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
