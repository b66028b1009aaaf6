"""Whatever breaks, callers learn that it broke and nothing else."""

import json
import re
from typing import Any

import httpx2
import pytest
import structlog
from fastapi import FastAPI

from tests.contract.test_refusals import OPEN, SESSIONS
from tests.unit.gateway.hardness.asked import Anybody, asking, gateway

PLANTED = "planted-9f1c SELECT * FROM tenants /home/someone"
TOLD = {"type", "title", "status", "detail", "request_id"}
KEPT = ("admission", "public_url", "pseudonym", "quotas", "seal")
ID = "0199f2c4-9d20-7b61-8a31-0c5b7e1f2a40"
FREE = OPEN - SESSIONS


class BrokenError(Exception):
    """What nobody expects."""


class Broken:
    """A dependency of which everything raises, however it is used."""

    within_s = 1.0

    def __getattr__(self, _: str) -> "Broken":
        return self

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise BrokenError(PLANTED)


def routes() -> list[tuple[str, str]]:
    paths = gateway().openapi()["paths"]
    return [(m, path) for path, kinds in paths.items() for m in kinds if path not in FREE]


async def asked(client: httpx2.AsyncClient, method: str, path: str) -> httpx2.Response:
    filled = re.sub(r"\{[^}]*\}", ID, path)
    return await client.request(method, filled, json={})


@pytest.fixture(scope="module")
def broken() -> FastAPI:
    app = gateway()
    for name in app.state._state:
        if name not in KEPT:
            setattr(app.state, name, Broken())
    return app


@pytest.mark.parametrize(("method", "path"), routes())
async def test_a_broken_dependency_shows_nothing_of_itself(
    broken: FastAPI, method: str, path: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with asking(broken) as client:
            answer = await asked(client, method, path)
    assert PLANTED not in answer.text + str(answer.headers)
    assert PLANTED not in json.dumps(logs, default=str)
    if path.startswith("/v1/"):
        return  # in OTLP's words; test_otlp_api reads them
    assert answer.status_code == 500 or answer.status_code in {400, 403, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["request_id"] == answer.headers["x-request-id"]
    if answer.status_code == 500:
        assert problem.keys() == TOLD
        (said,) = [line for line in logs if line["event"] == "unexpected"]
        assert said["request_id"] == problem["request_id"]
        assert said["kind"] == "BrokenError"


async def test_a_broken_handler_is_a_problem_with_an_id_that_the_log_knows() -> None:
    app = gateway()

    @app.get("/breaks")
    async def breaks() -> None:
        raise BrokenError(PLANTED)

    with structlog.testing.capture_logs() as logs:
        async with asking(app) as client:
            answer = await client.get("/breaks")
    assert answer.status_code == 500
    assert answer.json().keys() == TOLD
    assert PLANTED not in answer.text
    (said,) = [line for line in logs if line["event"] == "unexpected"]
    assert said["request_id"] == answer.headers["x-request-id"] == answer.json()["request_id"]
    assert said["where"][-1].startswith("test_failures.py:")


async def test_an_admission_that_breaks_lets_nobody_in() -> None:
    app = gateway()
    app.state.admission = Broken()
    async with asking(app) as client:
        for method, path in routes():
            if path in SESSIONS:
                continue
            answer = await asked(client, method, path)
            assert answer.status_code == 500, (method, path)
            assert PLANTED not in answer.text


async def test_what_is_away_is_a_503_everywhere_and_never_a_500() -> None:
    app = gateway()
    app.state.admission = Anybody()
    async with asking(app) as client:
        for method, path in routes():
            answer = await asked(client, method, path)
            assert answer.status_code != 500, (method, path, answer.text)
            if answer.status_code == 503:
                assert answer.headers["retry-after"]
