"""Every write of the document looks its Idempotency-Key up before it does anything."""

import hmac
import re
from typing import Any

import pytest

from services.gateway.service.once import Once
from tests.contract.test_refusals import CHANGE_NOTHING, OPEN
from tests.support.events import operation
from tests.support.experiments import body as ab_test
from tests.unit.gateway.hardness.asked import asking, common, gateway

ID = "0199f2c4-9d20-7b61-8a31-0c5b7e1f2a40"
RULE = {"name": "slow", "metric": "response_time_ms.p95", "operator": ">", "critical": 900}
BODIES: dict[str, Any] = {
    "/ai/operations/log": operation(1),
    "/ai/feedback/submit": {"operation_id": "op-1", "rating": 4},
    "/ai/exposures/log": {"test_id": ID, "unit_id": "u", "variant": "a"},
    "/ai/alert-rules": RULE,
    "/ai/alert-rules/{rule_id}": RULE,
    "/ai/silences": {"matchers": {"model_id": "m"}, "ends_at": "2099-01-01T00:00:00Z"},
    "/ai/notification-channels": {"name": "hook", "type": "webhook", "url": "https://h.example/1"},
    "/ai/ab-tests": ab_test(),
    "/ai/training-data/datasets": {"name": "set"},
    "/ai/api-keys": {"name": "ci", "role": "viewer"},
    "/ai/privacy/erasures": {"user_id": "ada"},
    "/ai/privacy/exports": {"user_id": "ada"},
    "/ai/review-queues": {"name": "doubtful"},
    "/ai/review-queues/{queue_id}/sample": {"sample": 2},
    "/ai/review-queues/{queue_id}/items/{operation_id}/review": {"rating": 4},
}
"""Bodies that are not refused before the key is looked at; of all others `{}` is none."""


def writes() -> list[tuple[str, str]]:
    return [
        (method, path)
        for path, kinds in common().openapi()["paths"].items()
        for method in kinds
        if method != "get" and path not in CHANGE_NOTHING and path not in OPEN
    ]


class Answered:
    """Remembers for every key that another body was sent with it."""

    def __init__(self, digest: str) -> None:
        self.digest = digest

    async def begin(self, *_: Any) -> str | None:
        return f"done {self.digest} {{}}"

    async def finish(self, *_: Any) -> None:
        raise AssertionError("nothing was begun")


@pytest.mark.parametrize(("method", "path"), writes())
async def test_the_same_key_with_another_body_is_refused(
    method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = Once(Answered("of another body"), b"key")
    monkeypatch.setattr(common().state, "once", once, raising=False)
    async with asking(common()) as client:
        answer = await client.request(
            method,
            re.sub(r"\{[^}]*\}", ID, path),
            json=None if method == "delete" else BODIES.get(path, {}),
            headers={"Idempotency-Key": "once"},
        )
    assert answer.status_code == 422, answer.text
    assert "dempotency-reuse" in answer.text or "This Idempotency-Key was used" in answer.text


@pytest.mark.parametrize(("method", "path"), writes())
@pytest.mark.parametrize("key", ["", "x" * 257])
async def test_a_key_has_a_bound(method: str, path: str, key: str) -> None:
    async with asking(common()) as client:
        answer = await client.request(
            method,
            re.sub(r"\{[^}]*\}", ID, path),
            json=None if method == "delete" else BODIES.get(path, {}),
            headers={"Idempotency-Key": key},
        )
    assert answer.status_code == 422, answer.text
    assert "Idempotency-Key" in answer.text


@pytest.mark.parametrize("others", ["?reviewer=eva", ""])
async def test_nobody_gets_the_answer_of_another_reviewer(others: str) -> None:
    app, path = gateway(), f"/ai/review-queues/{ID}/next"
    app.state.once = Once(Answered(hmac.digest(b"key", b"", "sha256").hex()), b"key")
    async with asking(app) as client:
        answer = await client.post(path + others, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 422, answer.text
