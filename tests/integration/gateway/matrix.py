"""What the matrix sends to each endpoint, and which answers are right; nothing is left to chance.

An endpoint that needs a body, a parameter or an object that nothing here gives fails the matrix.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.contract.test_openapi import document, hidden_routes
from tests.integration.gateway.planted import FAR, REVIEWER, RULE
from tests.support.experiments import body, weighted

WRITES = ("POST", "PUT", "PATCH", "DELETE")
FAILURE = 500
DOCUMENTS = ("/docs",)
"""They show nothing of anybody; what they run is tested with the headers."""


class Endpoint(NamedTuple):
    """One operation of the OpenAPI document."""

    method: str
    path: str
    permission: str
    parameters: tuple[str, ...]
    """Of the path."""
    query: tuple[str, ...]
    needs_body: bool
    successes: frozenset[int]
    """Statuses of the document that say that it was done."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def endpoints() -> list[Endpoint]:
    """All that the gateway has: what the document names, and pages."""
    return [*_documented(), *_pages()]


def _pages() -> list[Endpoint]:
    """Read from the table of routes, for they are in no document."""
    return [
        Endpoint(
            "GET",
            one.path.replace(":path", ""),
            one.openapi_extra["x-permission"],
            tuple(each.alias for each in one.dependant.path_params),
            tuple(each.alias for each in one.dependant.query_params),
            needs_body=False,
            successes=frozenset({200}),
        )
        for one in hidden_routes()
        if one.path not in DOCUMENTS
    ]


def _documented() -> list[Endpoint]:
    found = []
    for path, methods in document()["paths"].items():
        for method, one in methods.items():
            named = one.get("parameters", [])
            found.append(
                Endpoint(
                    method.upper(),
                    path,
                    one["x-permission"],
                    tuple(each["name"] for each in named if each["in"] == "path"),
                    tuple(each["name"] for each in named if each["in"] == "query"),
                    "requestBody" in one,
                    frozenset(int(each) for each in one["responses"] if each.startswith("2")),
                )
            )
    return found


def bodies(ids: Mapping[str, str], fresh: str) -> dict[str, Any]:
    """A body for each endpoint that takes one; `fresh` makes names that are not taken."""
    return {
        "POST /ai/operations/log": {
            "operation_id": fresh,
            "model_id": "m",
            "success": True,
            "response_time_ms": 1,
        },
        "POST /ai/feedback/submit": {"operation_id": fresh, "rating": 5},
        "POST /ai/exposures/log": {"test_id": ids["test_id"], "unit_id": fresh, "variant": "a"},
        "POST /v1/traces": {},
        "POST /v1/logs": {},
        "POST /v1/metrics": {},
        "PUT /ai/health-limits": {"min_sample": 50},
        "PUT /ai/models/{model_id}/health-limits": {"min_sample": 50},
        "POST /ai/alert-rules": {"name": fresh, **RULE},
        "PUT /ai/alert-rules/{rule_id}": {"name": fresh, **RULE},
        "POST /ai/alerts/{alert_id}/resolve": {"note": "n"},
        "POST /ai/alerts/{alert_id}/acknowledge": {"note": "n"},
        "POST /ai/notification-channels": {
            "name": fresh,
            "type": "webhook",
            "url": "https://nowhere.invalid/hook",
        },
        "POST /ai/silences": {"matchers": {"a": "b"}, "ends_at": FAR, "comment": "c"},
        "POST /ai/ab-tests": body(key=fresh, variants=weighted(a=0.5, b=0.5)),
        "PATCH /ai/ab-tests/{test_id}": {"name": "n"},
        "POST /ai/ab-tests/plan": {"metric": "success_rate", "baseline": 0.5, "min_effect": 0.1},
        "POST /ai/ab-tests/{test_id}/start": {},
        "POST /ai/ab-tests/{test_id}/pause": {},
        "POST /ai/ab-tests/{test_id}/stop": {},
        "POST /ofrep/v1/evaluate/flags/{key}": {"context": {"targetingKey": "u"}},
        "POST /ofrep/v1/evaluate/flags": {"context": {"targetingKey": "u"}},
        "POST /ai/training-data/datasets": {"name": fresh},
        "POST /ai/review-queues": {"name": fresh, "strategy": "random"},
        "POST /ai/review-queues/{queue_id}/sample": {"sample": 1},
        "POST /ai/review-queues/{queue_id}/items/{operation_id}/review": {"rating": 5},
        "POST /ai/privacy/erasures": {"user_id": fresh},
        "POST /ai/privacy/exports": {"user_id": fresh},
        "PUT /ai/privacy/retention": {"operations_s": 30 * 86_400},
        "POST /ai/api-keys": {"name": fresh, "role": "agent"},
        "POST /ai/api-keys/{key_id}/rotate": {},
        "POST /auth/session": {"key": "assay_" + "a" * 12 + "_" + "a" * 43},
    }


# Without which an endpoint says 422, whoever asks.
QUERIES = {
    "GET /ai/ab-tests/{test_id}/assignment": {"user_id": "u"},
    "POST /ai/review-queues/{queue_id}/next": {"reviewer": REVIEWER},
    "POST /ai/review-queues/{queue_id}/items/{operation_id}/review": {"reviewer": REVIEWER},
    "GET /ai/metrics/{model_id}/forecast": {"metric": "success_rate"},
    "GET /experiments/plan": {
        "asked": json.dumps({"metric": "success_rate", "baseline": 0.5, "min_effect": 0.1})
    },
    "GET /rules/preview": {"rule": json.dumps({"name": "tried", **RULE})},
}
STREAMS = frozenset({"GET /ai/stream"})
"""They do not end by themselves: what is read of them ends with this."""
BEGUN = "event: ready"
# What must be done to a new object before the endpoint can do its own to it.
BEFORE = {
    "POST /ai/ab-tests/{test_id}/pause": "POST /ai/ab-tests/{test_id}/start",
    "POST /ai/ab-tests/{test_id}/stop": "POST /ai/ab-tests/{test_id}/start",
    "POST /ai/review-queues/{queue_id}/items/{operation_id}/review": (
        "POST /ai/review-queues/{queue_id}/next"
    ),
    "DELETE /ai/health-limits": "PUT /ai/health-limits",
    "DELETE /ai/models/{model_id}/health-limits": "PUT /ai/models/{model_id}/health-limits",
}
# Names that each tenant gives for itself: the same word of another tenant is another thing.
NAMES_OF_ONES_OWN = {
    "GET /ai/models/{model_id}/health-limits": "limits may be set before a model sends anything",
    "PUT /ai/models/{model_id}/health-limits": "the same",
    "DELETE /ai/models/{model_id}/health-limits": "the same: 404 or not is of ones own limits",
    "GET /schemas/{name}.json": "the product's own, the same for everybody",
    "GET /assets/{digest}/{name}": "the same",
}
# For everybody: what a caller without a session or a provider is told.
PUBLIC = {
    "GET /healthz": {200},
    "GET /readyz": {200},
    "GET /metrics": {200},
    "GET /asyncapi.json": {200},
    "GET /schemas/{name}.json": {200},
    "POST /auth/session": {401},
    "GET /auth/session": {401},
    "DELETE /auth/session": {403},
    "GET /auth/login": {404},
    "GET /auth/callback": {404},
    "GET /": {200},
    "GET /assets/{digest}/{name}": {404},
}
# By which query parameter a list could be made to show another tenant's.
FOREIGN_QUERY = (
    *("model_id", "operation_id", "rule_id", "key", "test_id"),
    *("agent_id", "user_id", "session_id", "dataset"),
)
