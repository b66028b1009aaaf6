"""Every route that is no GET, and how to use it so that something is done."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2

from tests.integration.gateway.callers import Alone
from tests.integration.gateway.trained import store_training
from tests.support.experiments import body

PLANTED = "PLANTED"
"""In every secret and every text of a person that is sent."""
SIGNING = "whsec_" + b64encode(3 * PLANTED.encode()).decode()
EXEMPT = {
    "POST /ai/operations/log": "an event, published; what agents do is no administration",
    "POST /ai/feedback/submit": "an event, published",
    "POST /ai/exposures/log": "an event, published",
    "POST /v1/traces": "events, published",
    "POST /v1/logs": "events, published",
    "POST /v1/metrics": "accepted and dropped",
    "POST /ofrep/v1/evaluate/flags": "a question; what was shown is an event",
    "POST /ofrep/v1/evaluate/flags/{key}": "a question; what was shown is an event",
    "POST /ai/alert-rules/{rule_id}/test": "changes nothing and tells nobody",
    "POST /ai/silences/{silence_id}/test": "changes nothing and tells nobody",
    "POST /ai/ab-tests/plan": "a calculation",
    "POST /auth/session": "a session is signed and kept nowhere",
    "DELETE /auth/session": "the same",
}
"""Routes that leave no row, and why."""
RULE = {"name": "errors", "metric": "error_rate", "operator": ">", "warning": 0.2}
CHANNEL = {
    "name": "hook",
    "type": "webhook",
    "url": f"https://hooks.example.invalid/{PLANTED}",
    "secret": SIGNING,
}
ALERT = """
    INSERT INTO performance_alerts
        (tenant_id, alert_id, rule_id, rule_name, model_id, labels, state, severity, sample,
         observed_over, reason, step, stepped_at, started_at)
    VALUES ('acme', $1, $1, 'errors', 'm', '{}', 'firing', 'critical', 30, '1h', $2, 1, now(),
            now())
"""


class Sent(NamedTuple):
    """A request, as which action it is told, and of which kind of object."""

    route: str
    action: str
    path: str
    json: Any = None


Call = Callable[..., Awaitable[httpx2.Response]]


async def everything(alone: Alone, call: Call) -> list[Sent]:
    """Use each route that is to be told, once; answers what was sent."""
    sent: list[Sent] = []

    async def do(route: str, action: str, content: Any = None, **at: Any) -> Any:
        method, _, path = route.partition(" ")
        sent.append(Sent(route, action, path.format(**at), content))
        return await call(method, path.format(**at), content, route)

    await _keys(do)
    await _health(do)
    await _alerts(alone, do)
    await _notifications(do)
    await _tests(do)
    await _training(alone, do)
    await do("POST /ai/privacy/erasures", "erasure.create", {"user_id": PLANTED})
    await do("POST /ai/privacy/exports", "subject_export.create", {"user_id": PLANTED})
    await do("PUT /ai/privacy/retention", "retention.put", {"operations_s": 30 * 86_400})
    return sent


async def _health(do: Callable[..., Awaitable[Any]]) -> None:
    limits = {"min_sample": 50}
    await do("PUT /ai/health-limits", "health_limits.put", limits)
    await do("DELETE /ai/health-limits", "health_limits.delete")
    one = "/ai/models/{model_id}/health-limits"
    await do(f"PUT {one}", "health_limits.put", limits, model_id="m")
    await do(f"DELETE {one}", "health_limits.delete", model_id="m")


async def _alerts(alone: Alone, do: Callable[..., Awaitable[Any]]) -> None:
    made = await do("POST /ai/alert-rules", "alert_rule.create", RULE)
    one, named = "/ai/alert-rules/{rule_id}", {"rule_id": made["id"]}
    await do(f"PUT {one}", "alert_rule.replace", RULE | {"warning": 0.3}, **named)
    await do(f"DELETE {one}", "alert_rule.delete", **named)
    for action in ("acknowledge", "resolve"):
        alert_id = uuid4()
        await alone.rows(ALERT, alert_id, PLANTED)
        route = "POST /ai/alerts/{alert_id}/" + action
        await do(route, f"alert.{action}", {"note": PLANTED}, alert_id=alert_id)


async def _notifications(do: Callable[..., Awaitable[Any]]) -> None:
    made = await do("POST /ai/notification-channels", "channel.create", CHANNEL)
    one, named = "/ai/notification-channels/{channel_id}", {"channel_id": made["id"]}
    await do(f"POST {one}/test", "channel.test", **named)
    await do(f"DELETE {one}", "channel.delete", **named)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    silence = {"matchers": {"model_id": "m"}, "ends_at": until, "comment": PLANTED}
    made = await do("POST /ai/silences", "silence.create", silence)
    await do("DELETE /ai/silences/{silence_id}", "silence.delete", silence_id=made["id"])


async def _tests(do: Callable[..., Awaitable[Any]]) -> None:
    made = await do("POST /ai/ab-tests", "ab_test.create", body(hypothesis=PLANTED))
    one, named = "/ai/ab-tests/{test_id}", {"test_id": made["id"]}
    await do(f"PATCH {one}", "ab_test.change", {"name": "Is b?"}, **named)
    for action in ("start", "pause", "stop"):
        await do(f"POST {one}/{action}", f"ab_test.{action}", {"note": PLANTED}, **named)


async def _training(alone: Alone, do: Callable[..., Awaitable[Any]]) -> None:
    await do("POST /ai/training-data/datasets", "dataset.freeze", {"name": "set"})
    at = datetime.now(UTC) - timedelta(hours=1)
    row_id = await store_training(alone.rows, at, output=PLANTED, input=PLANTED)
    queue = await do("POST /ai/review-queues", "review_queue.create", {"name": "q", "sample": 1})
    one, named = "/ai/review-queues/{queue_id}", {"queue_id": queue["id"]}
    await do(f"POST {one}/sample", "review_queue.sample", {"sample": 1}, **named)
    item = await do(f"POST {one}/next?reviewer={PLANTED}", "review_item.take", **named)
    said = {"rating": 2, "comment": PLANTED, "correction": PLANTED}
    place = named | {"operation_id": item["operation_id"]}
    route = f"POST {one}/items/{{operation_id}}/review"
    await do(f"{route}?reviewer={PLANTED}", "review_item.review", said, **place)
    await do(f"DELETE {one}", "review_queue.close", **named)
    await do("DELETE /ai/training-data/{row_id}", "training_row.block", row_id=row_id)


async def _keys(do: Callable[..., Awaitable[Any]]) -> None:
    made = await do("POST /ai/api-keys", "key.create", {"name": "k", "role": "agent"})
    one, named = "/ai/api-keys/{key_id}", {"key_id": made["id"]}
    await do(f"POST {one}/rotate", "key.rotate", {"overlap_s": 60}, **named)
    await do(f"DELETE {one}", "key.revoke", **named)
