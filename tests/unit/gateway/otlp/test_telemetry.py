"""Requests are sent in portions, large ones are judged in a thread, and texts as was said."""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from services.gateway.domain.intake import Outgoing
from services.gateway.domain.otlp.decoding import Encoding
from services.gateway.domain.otlp.judging import Judge
from services.gateway.domain.problems import AwayError, Problem
from services.gateway.service.intake import Intake
from services.gateway.service.telemetry import PORTION, SMALL_BODY, Content, Telemetry
from shared.topics import TopicSpec
from tests.unit.gateway.otlp.reading import NOON
from tests.unit.gateway.otlp.test_hostile import spans


class Kafka:
    """Keeps what it is sent; away from the portion of this number on."""

    def __init__(self, away_from: int | None = None) -> None:
        self.portions: list[list[Outgoing]] = []
        self._away_from = away_from

    async def publish(
        self,
        spec: TopicSpec,
        topic: str,
        events: Sequence[Outgoing],
        tenant_id: str,
        trace: Mapping[str, str],
    ) -> None:
        if len(self.portions) == self._away_from:
            raise AwayError("kafka")
        assert (topic, tenant_id) == ("ai.operations.v1", "acme")
        self.portions.append(list(events))

    @property
    def sent(self) -> list[Outgoing]:
        return [one for portion in self.portions for one in portion]


def telemetry(kafka: Kafka, content: Content = "drop") -> Telemetry:
    intake = Intake(kafka.publish, "ai.", lambda: NOON, lambda: UUID(int=7))
    return Telemetry(intake, content, lambda: NOON)


async def test_many_are_sent_in_portions() -> None:
    kafka = Kafka()
    await telemetry(kafka).traces(spans(2 * PORTION + 1), Encoding.JSON, "acme", {})
    assert [len(one) for one in kafka.portions] == [PORTION, PORTION, 1]


async def test_a_request_that_was_sent_half_is_sent_again_as_the_same_events() -> None:
    kafka, again = Kafka(away_from=1), Kafka()
    body = spans(PORTION + 1)
    with pytest.raises(Problem) as caught:
        await telemetry(kafka).traces(body, Encoding.JSON, "acme", {})
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (503, "5")
    await telemetry(again).traces(body, Encoding.JSON, "acme", {})
    assert again.sent[:PORTION] == kafka.sent


async def test_large_requests_hold_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    judged_in = []
    judge = Judge.spans

    def watched(self: Judge, request: Any) -> Any:
        judged_in.append(threading.current_thread() is threading.main_thread())
        return judge(self, request)

    monkeypatch.setattr(Judge, "spans", watched)
    small, large = spans(1), spans(1, padding="x" * SMALL_BODY)
    for body in (small, large):
        await telemetry(Kafka()).traces(body, Encoding.JSON, "acme", {})
    assert judged_in == [True, False]


@pytest.mark.parametrize(
    ("content", "text"),
    [("drop", None), ("redact", "Write to [EMAIL]"), ("keep", "Write to ann@example.org")],
)
async def test_texts_are_taken_as_the_installation_says(content: Content, text: str | None) -> None:
    kafka = Kafka()
    body = spans(1, **{"input.value": "Write to ann@example.org"})
    await telemetry(kafka, content).traces(body, Encoding.JSON, "acme", {})
    assert json.loads(kafka.sent[0].value).get("input_text") == text
