"""Each row of the contract's HTTP table, with its permission, read from the document we serve."""

import pytest

from tests.contract.test_openapi import document

TABLE = {
    "operations:write": ("POST /ai/operations/log", "POST /v1/traces", "POST /v1/logs"),
    "operations:read": ("GET /ai/operations", "GET /ai/operations/{operation_id}"),
    "metrics:read": (
        "GET /ai/models",
        "GET /ai/metrics/{model_id}",
        "GET /ai/metrics/{model_id}/series",
        "GET /ai/metrics/{model_id}/forecast",
        "GET /ai/statistics",
        "GET /ai/stream",
    ),
    "system:read": ("GET /ai/system",),
    "alerts:read": (
        "GET /ai/alerts",
        "GET /ai/alerts/{alert_id}",
        "GET /ai/alert-rules",
        "GET /ai/alert-rules/{rule_id}",
        "GET /ai/silences",
        "GET /ai/notification-channels",
        "GET /ai/notification-channels/{channel_id}/deliveries",
    ),
    "alerts:write": (
        "POST /ai/alerts/{alert_id}/resolve",
        "POST /ai/alerts/{alert_id}/acknowledge",
        "POST /ai/alert-rules",
        "PUT /ai/alert-rules/{rule_id}",
        "DELETE /ai/alert-rules/{rule_id}",
        "POST /ai/alert-rules/{rule_id}/test",
        "POST /ai/silences",
        "DELETE /ai/silences/{silence_id}",
        "POST /ai/notification-channels",
        "DELETE /ai/notification-channels/{channel_id}",
        "POST /ai/notification-channels/{channel_id}/test",
    ),
    "experiments:read": (
        "GET /ai/ab-tests",
        "GET /ai/ab-tests/{test_id}",
        "GET /ai/ab-tests/{test_id}/results",
        "GET /ai/ab-tests/{test_id}/history",
        "POST /ai/ab-tests/plan",
    ),
    "experiments:write": (
        "POST /ai/ab-tests",
        "POST /ai/ab-tests/{test_id}/start",
        "POST /ai/ab-tests/{test_id}/pause",
        "POST /ai/ab-tests/{test_id}/stop",
    ),
    "experiments:assign": (
        "GET /ai/ab-tests/{test_id}/assignment",
        "POST /ofrep/v1/evaluate/flags/{key}",
        "POST /ofrep/v1/evaluate/flags",
    ),
    "feedback:write": ("POST /ai/feedback/submit",),
    "feedback:read": (
        "GET /ai/feedback",
        "GET /ai/feedback/summary",
        "GET /ai/feedback/trends",
        "GET /ai/feedback/recommendations",
    ),
    "training:read": (
        "GET /ai/training-data",
        "GET /ai/training-data/datasets",
        "GET /ai/training-data/datasets/{dataset_id}",
    ),
    "training:export": ("GET /ai/training-data/export",),
    "training:write": (
        "POST /ai/training-data/datasets",
        "DELETE /ai/training-data/{row_id}",
    ),
    "keys:admin": ("GET /ai/api-keys", "POST /ai/api-keys", "DELETE /ai/api-keys/{key_id}"),
    "audit:read": ("GET /ai/audit", "GET /ai/audit/verify"),
    "privacy:admin": (
        "POST /ai/privacy/erasures",
        "GET /ai/privacy/erasures/{erasure_id}",
        "POST /ai/privacy/exports",
        "GET /ai/privacy/exports/{export_id}",
        "GET /ai/privacy/retention",
        "PUT /ai/privacy/retention",
    ),
    "none": ("GET /healthz", "GET /readyz", "GET /metrics", "GET /asyncapi.json"),
}


@pytest.mark.parametrize(("permission", "routes"), TABLE.items(), ids=list(TABLE))
def test_the_routes_of_a_permission(permission: str, routes: tuple[str, ...]) -> None:
    paths = document()["paths"]
    for route in routes:
        method, _, path = route.partition(" ")
        assert paths[path][method.lower()]["x-permission"] == permission, route
