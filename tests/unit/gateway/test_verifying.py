"""A chain is verified to its end, however long the gateway lets others take."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from fastapi import Request

from services.gateway.app import create_app
from services.gateway.domain.api_keys import Principal
from services.gateway.routes import audit
from services.gateway.settings import GatewaySettings
from tests.support.system import SECRET

NOWHERE = "127.0.0.1:1"
A_MINUTE_S = 60.0
"""Longer than others may take, unless that is set otherwise."""


class Behind:
    """Everybody's door, quota and verifier at once."""

    async def principal(self, _: str | None) -> Principal:
        return Principal("acme", "k", frozenset({"audit:read"}))

    async def spend(self, *_: Any) -> None:
        return None

    async def verify(self, _: str) -> dict[str, Any]:
        anchors = {"enabled": False, "compared": 0, "anchored_at": None}
        whole = {"valid": True, "as_of": datetime.now(UTC), "entries": 0, "head": None}
        return whole | {"first_bad": None, "why": None, "anchors": anchors}


async def test_a_long_chain_may_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def lasting(request: Request, within_s: float) -> None:
        given.append(within_s)
        real(request, within_s)

    real = audit.lasting
    monkeypatch.setattr(audit, "lasting", lasting)
    settings = GatewaySettings(
        kafka_bootstrap_servers=NOWHERE,
        redis_url=f"redis://{NOWHERE}",
        postgres_dsn=f"postgresql://nobody@{NOWHERE}/nothing",
        secret_key=SECRET,
    )
    app = create_app(settings)
    app.state.admission = app.state.quotas = app.state.auditing = Behind()
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.get("/ai/audit/verify")
    assert (answer.status_code, answer.json().get("valid")) == (200, True)
    assert given
    assert given[0] > A_MINUTE_S
