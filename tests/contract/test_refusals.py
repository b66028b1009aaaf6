"""What every operation of the OpenAPI document has in common, so that a new one cannot escape."""

from typing import Any

import pytest

from services.gateway.domain.permissions import ADMIN
from services.gateway.routes.bounds import MOST_HEAD, MOST_HEADERS, MOST_PATH, MOST_QUERY
from tests.contract.test_openapi import document

SESSIONS = {"/auth/session", "/auth/login", "/auth/callback"}
OPEN = {"/healthz", "/readyz", "/metrics", "/asyncapi.json", "/schemas/{name}.json"} | SESSIONS
"""What needs no credential: here one proves who one is, or nothing is a tenant's."""
CHANGE_NOTHING = {
    "/ofrep/v1/evaluate/flags/{key}": "asks for a variant",
    "/ofrep/v1/evaluate/flags": "asks for variants",
    "/ai/ab-tests/plan": "reckons",
    "/ai/alert-rules/{rule_id}/test": "evaluates",
    "/ai/silences/{silence_id}/test": "evaluates",
    "/v1/metrics": "keeps nothing",
}
"""POST that is no write, with the reason."""


def operations() -> list[tuple[str, str, Any]]:
    return [
        (method, path, operation)
        for path, kinds in document()["paths"].items()
        for method, operation in kinds.items()
    ]


ALL = [pytest.param(*one, id=f"{one[0]} {one[1]}") for one in operations()]
GUARDED = [one for one in ALL if one.values[1] not in OPEN]
WRITES = [one for one in GUARDED if one.values[0] != "get" and one.values[1] not in CHANGE_NOTHING]


@pytest.mark.parametrize(("method", "path", "operation"), GUARDED)
def test_it_says_who_may_and_how_it_refuses(method: str, path: str, operation: Any) -> None:
    assert operation["x-permission"] in ADMIN, (method, path)
    assert operation["security"] == [
        {"apiKey": []},
        {"apiKeyHeader": []},
        {"session": []},
    ]
    assert {"401", "403", "414", "422", "429", "431", "500", "503"} <= operation["responses"].keys()
    for status in ("429", "503"):
        assert operation["responses"][status]["headers"]["Retry-After"]["required"]


@pytest.mark.parametrize(("method", "path", "operation"), ALL)
def test_every_refusal_says_in_which_words(method: str, path: str, operation: Any) -> None:
    for status, response in operation["responses"].items():
        assert response["headers"]["X-Request-Id"]
        if int(status) >= 400:
            kinds = response["content"].keys()
            is_otlp = path.startswith("/v1/")
            words = "application/x-protobuf" if is_otlp else "application/problem+json"
            assert words in kinds, (method, path, status)
        assert "HTTPValidationError" not in str(response)


@pytest.mark.parametrize(("method", "path", "operation"), WRITES)
def test_every_write_takes_an_idempotency_key(method: str, path: str, operation: Any) -> None:
    names = [one["name"] for one in operation.get("parameters", ())]
    assert names.count("Idempotency-Key") == 1, (method, path)


def test_limits_are_in_the_document() -> None:
    said = document()["info"]["description"]
    for limit in (1024 * 1024, 64 * 1024, 500, MOST_PATH, MOST_QUERY, MOST_HEADERS, MOST_HEAD):
        assert f"{limit:,}" in said


@pytest.mark.parametrize("path", ["/ai/feedback/submit", "/ai/review-queues"])
def test_null_is_as_if_a_field_was_left_out(path: str) -> None:
    content = document()["paths"][path]["post"]["requestBody"]["content"]
    schema = content["application/json"]["schema"]
    schema = schema.get("anyOf", [schema])[0]
    for name, member in schema["properties"].items():
        if name in schema.get("required", ()):
            continue
        assert name == "tenant_id" or {"type": "null"} in member["anyOf"], name
