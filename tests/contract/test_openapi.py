"""The OpenAPI document says what the contract promises."""

import json
import re
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from services.gateway.app import create_app
from services.gateway.domain.permissions import ADMIN
from services.gateway.settings import GatewaySettings

ENDPOINTS = [
    "POST /ai/operations/log",
    "POST /ai/feedback/submit",
    "POST /v1/traces",
    "POST /v1/logs",
    "POST /v1/metrics",
    "GET /ai/operations",
    "GET /ai/operations/{operation_id}",
    "GET /ai/models",
    "GET /ai/models/{model_id}/status",
    "GET /ai/models/{model_id}/status/history",
    "GET /ai/models/{model_id}/health-limits",
    "PUT /ai/models/{model_id}/health-limits",
    "DELETE /ai/models/{model_id}/health-limits",
    "GET /ai/health-limits",
    "PUT /ai/health-limits",
    "DELETE /ai/health-limits",
    "GET /ai/metrics/{model_id}",
    "GET /ai/metrics/{model_id}/series",
    "GET /ai/metrics/{model_id}/forecast",
    "GET /ai/statistics",
    "GET /ai/feedback/summary",
    "GET /ai/feedback/trends",
    "GET /ai/feedback/recommendations",
    "GET /ai/system",
    "GET /ai/stream",
    "GET /ai/alerts",
    "GET /ai/alerts/{alert_id}",
    "POST /ai/alerts/{alert_id}/resolve",
    "POST /ai/alerts/{alert_id}/acknowledge",
    "GET /ai/alert-rules",
    "POST /ai/alert-rules",
    "GET /ai/alert-rules/{rule_id}",
    "PUT /ai/alert-rules/{rule_id}",
    "DELETE /ai/alert-rules/{rule_id}",
    "POST /ai/alert-rules/{rule_id}/test",
    "GET /ai/silences",
    "POST /ai/silences",
    "GET /ai/silences/{silence_id}",
    "DELETE /ai/silences/{silence_id}",
    "POST /ai/silences/{silence_id}/test",
    "GET /ai/notification-channels",
    "POST /ai/notification-channels",
    "GET /ai/notification-channels/{channel_id}",
    "DELETE /ai/notification-channels/{channel_id}",
    "POST /ai/notification-channels/{channel_id}/test",
    "GET /ai/notification-channels/{channel_id}/deliveries",
    "GET /ai/ab-tests",
    "POST /ai/ab-tests",
    "GET /ai/ab-tests/{test_id}",
    "PATCH /ai/ab-tests/{test_id}",
    "POST /ai/ab-tests/{test_id}/start",
    "POST /ai/ab-tests/{test_id}/pause",
    "POST /ai/ab-tests/{test_id}/stop",
    "GET /ai/ab-tests/{test_id}/results",
    "GET /ai/ab-tests/{test_id}/history",
    "POST /ai/ab-tests/plan",
    "GET /ai/ab-tests/{test_id}/assignment",
    "GET /ai/assignable-tests",
    "POST /ai/exposures/log",
    "GET /ai/feedback",
    "GET /ai/training-data",
    "GET /ai/training-data/export",
    "GET /ai/training-data/datasets",
    "POST /ai/training-data/datasets",
    "GET /ai/training-data/datasets/{dataset_id}",
    "GET /ai/training-data/{row_id}",
    "DELETE /ai/training-data/{row_id}",
    "GET /ai/privacy/retention",
    "PUT /ai/privacy/retention",
    "POST /ai/privacy/erasures",
    "GET /ai/privacy/erasures/{erasure_id}",
    "POST /ofrep/v1/evaluate/flags",
    "POST /ofrep/v1/evaluate/flags/{key}",
    "GET /ai/audit",
    "GET /ai/audit/verify",
    "GET /ai/api-keys",
    "POST /ai/api-keys",
    "GET /ai/api-keys/{key_id}",
    "DELETE /ai/api-keys/{key_id}",
    "POST /ai/api-keys/{key_id}/rotate",
    "POST /auth/session",
    "GET /auth/session",
    "DELETE /auth/session",
    "GET /auth/login",
    "GET /auth/callback",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
]


@cache
def _app() -> FastAPI:
    return create_app(
        GatewaySettings(
            kafka_bootstrap_servers="127.0.0.1:1",
            redis_url="redis://127.0.0.1:1",
            postgres_dsn="postgresql://nobody@127.0.0.1:1/none",
            secret_key="x" * 32,
        )
    )


def hidden_routes() -> list[Any]:
    """Routes that are not in the document, as pages are; FastAPI's own document is none."""
    found = (one.route for one in iter_route_contexts(_app().routes))
    return [one for one in found if isinstance(one, APIRoute) and not one.include_in_schema]


@cache
def document() -> Any:
    """As it is served, with paths as the contract writes them."""
    text = json.dumps(_app().openapi())
    return json.loads(text.replace("{model_id:path}", "{model_id}"))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_each_endpoint_is_there_and_says_who_may_use_it(endpoint: str) -> None:
    method, path = endpoint.split()
    found = document()["paths"][path][method.lower()]
    assert found["summary"]
    permission = found["x-permission"]
    if permission == "none":
        assert "security" not in found
    else:
        assert permission in ADMIN
        assert found["security"] == [{"apiKey": []}, {"apiKeyHeader": []}, {"session": []}]
        schemes = document()["components"]["securitySchemes"]
        assert schemes["apiKey"]["scheme"] == "bearer"
        header = {name: schemes["apiKeyHeader"][name] for name in ("type", "in", "name")}
        assert header == {"type": "apiKey", "in": "header", "name": "X-API-Key"}


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if not one.startswith("GET")])
def test_each_write_says_how_it_refuses(endpoint: str) -> None:
    method, path = endpoint.split()
    responses = document()["paths"][path][method.lower()]["responses"]
    changes_nothing = path.startswith(("/ofrep", "/auth")) or path.endswith(
        ("rule_id}/test", "silence_id}/test")
    )
    if path.startswith("/v1/"):  # in OTLP's words: nothing conflicts, and 400 says what 422 would
        assert {"400", "413", "503"} <= responses.keys()
    elif not changes_nothing:
        assert {"409", "422", "503"} <= responses.keys()


@pytest.mark.parametrize("path", ["/ai/metrics/{model_id}", "/ai/metrics/{model_id}/series"])
def test_metrics_can_be_asked_by_whatever_an_operation_is_told_apart(path: str) -> None:
    names = {one["name"] for one in document()["paths"][path]["get"]["parameters"]}
    assert {"environment", "operation_type", "variant", "agent_id", "release"} <= names


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/ai/ab-tests/{test_id}/assignment"),
        ("get", "/ai/assignable-tests"),
        ("post", "/ofrep/v1/evaluate/flags/{key}"),
        ("post", "/ofrep/v1/evaluate/flags"),
    ],
)
def test_who_asks_for_variants_is_told_that_a_test_may_not_be_known_yet(
    method: str, path: str
) -> None:
    assert "503" in document()["paths"][path][method]["responses"]


def test_tests_can_be_asked_by_several_states() -> None:
    parameters = document()["paths"]["/ai/ab-tests"]["get"]["parameters"]
    state = next(one for one in parameters if one["name"] == "state")
    assert "array" in json.dumps(state["schema"])
    states = document()["components"]["schemas"]["State"]["enum"]
    assert states == ["draft", "running", "paused", "stopped", "concluded"]


def test_no_reference_leads_nowhere() -> None:
    text = json.dumps(document())
    for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert name in document()["components"]["schemas"]
    assert "secret" not in document()["components"]["schemas"]["KeptChannel"]["properties"]


def test_what_the_document_hides_are_pages_which_change_nothing() -> None:
    found = {one.path: one for one in hidden_routes()}
    assert {"/", "/docs", "/fleet", "/assets/{digest}/{name}"} <= found.keys()
    for path, one in found.items():
        assert one.methods == {"GET"}, path
        says = one.openapi_extra.get("x-page", False)
        assert says or path in {"/docs", "/assets/{digest}/{name}"}, path
