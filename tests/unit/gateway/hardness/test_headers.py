"""What every answer says to browsers."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from pydantic import ValidationError

from tests.unit.gateway.hardness.asked import asking, common, gateway

PATHS = ("/healthz", "/no/such/path", "/docs", "/openapi.json", "/ai/operations?limit=0")
DASHBOARD = "https://dashboard.example.org"


@pytest.mark.parametrize("path", PATHS)
async def test_no_answer_is_guessed_at_embedded_or_remembered(path: str) -> None:
    async with asking(common()) as client:
        headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    assert headers["x-request-id"]
    assert "server" not in headers
    assert "strict-transport-security" not in headers
    assert not [name for name in headers if name.startswith("access-control-")]


async def test_the_page_of_routes_runs_only_what_its_policy_names() -> None:
    async with asking(common()) as client:
        answer = await client.get("/docs")
        assert (await client.get("/redoc")).status_code == 404
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    (rules,) = re.findall(r"script-src ([^;]*);", answer.headers["content-security-policy"])
    for script in scripts:
        assert b64encode(sha256(script.encode()).digest()).decode() in rules
    for address in re.findall(r'(?:src|href)="([^"]*)"', answer.text):
        assert address.startswith(("https://cdn.jsdelivr.net/", "data:,"))
    assert "unsafe-inline" not in rules
    assert "unsafe-eval" not in rules


async def test_browsers_are_told_of_https_where_there_is_nothing_else() -> None:
    async with asking(gateway(gateway_https=True)) as client:
        said = (await client.get("/healthz")).headers["strict-transport-security"]
    assert int(re.findall(r"max-age=(\d+)", said)[0]) >= 31_536_000


async def test_pages_of_other_origins_read_nothing() -> None:
    ask = {"Origin": DASHBOARD, "Access-Control-Request-Method": "GET"}
    async with asking(common()) as client:
        for answer in (
            await client.get("/healthz", headers=ask),
            await client.options("/ai/models", headers=ask),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_named_origins_read_answers_and_refusals_and_no_others_do() -> None:
    preflight = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,idempotency-key",
    }
    app = gateway(gateway_cors_origins=f"{DASHBOARD} http://localhost:5173")
    async with asking(app) as client:
        for path in ("/healthz", "/no/such/path"):
            headers = (await client.get(path, headers={"Origin": DASHBOARD})).headers
            assert headers["access-control-allow-origin"] == DASHBOARD
            assert "access-control-allow-credentials" not in headers
            assert "RateLimit" in headers["access-control-expose-headers"]
        asked = await client.options("/ai/models", headers={"Origin": DASHBOARD, **preflight})
        assert asked.status_code == 200
        assert asked.headers["x-content-type-options"] == "nosniff"
        for stranger in ("https://dashboard.example.org.evil.example", "null", "http://localhost"):
            headers = (await client.get("/healthz", headers={"Origin": stranger})).headers
            assert "access-control-allow-origin" not in headers
            refused = await client.options("/x", headers={"Origin": stranger, **preflight})
            assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("origins", ["*", "dashboard.example.org", "https://a.example/path"])
def test_an_origin_is_one_or_the_gateway_does_not_start(origins: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        gateway(gateway_cors_origins=origins)
