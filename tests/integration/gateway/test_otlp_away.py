"""OTLP while Kafka is away: exporters are told to come back."""

import pytest

from tests.integration.gateway.callers import Alone
from tests.integration.gateway.spans import protobuf, reason, span, traces

KINDS = ["application/x-protobuf", "application/json"]


@pytest.mark.parametrize("kind", KINDS)
async def test_without_an_acknowledgement_it_is_503_with_a_time_to_come_back(
    alone: Alone, kind: str
) -> None:
    body = traces(span(1, 1, {"gen_ai.request.model": "m"}))
    content = body if kind == KINDS[1] else protobuf(body)
    answer = await alone.agent.post("/v1/traces", content=content, headers={"content-type": kind})
    assert (answer.status_code, reason(answer)) == (503, "unavailable")
    assert answer.headers["content-type"] == kind
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("kind", KINDS)
async def test_what_holds_nothing_of_ours_needs_no_kafka(alone: Alone, kind: str) -> None:
    body = traces(span(1, 1, {}, attributes=[]))
    content = body if kind == KINDS[1] else protobuf(body)
    answer = await alone.agent.post("/v1/traces", content=content, headers={"content-type": kind})
    assert answer.status_code == 200
