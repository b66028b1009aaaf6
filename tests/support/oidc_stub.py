"""An identity provider: discovery, keys, a code flow, and tokens of every kind of wrong."""

import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.local.process import free_port
from shared.runtime import serve
from tests.support.system import running
from tests.support.waiting import eventually

AUDIENCE, CLIENT, CLIENT_SECRET = "assay-api", "assay-dashboard", "only-for-tests"
BAD = 400


def new_rsa(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: str, **more: Any) -> Any:
    """The public half of a key, as a JSON Web Key."""
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return json.loads(kind.to_jwk(key.public_key())) | {"kid": kid, "use": "sig", **more}


def pem(key: rsa.RSAPrivateKey) -> bytes:
    """The public half as text: what a verifier that is too trusting takes for an HMAC secret."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@dataclass
class Stub:
    """What it serves, and whether it does."""

    issuer: str = "http://127.0.0.1:1"
    key: rsa.RSAPrivateKey = field(default_factory=new_rsa)
    kid: str = "one"
    away: bool = False
    asked: int = 0
    """How often for its keys."""
    listed: list[Any] = field(default_factory=list)
    """Other keys than its own, beside it."""
    document: dict[str, Any] | None = None
    """What it answers for its keys, if not them."""
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        plain = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "ada",
            "iat": now,
            "exp": now + 300,
            "tenant": "acme",
            "roles": ["viewer"],
        }
        return {name: v for name, v in (plain | changes).items() if v is not None}

    def token(self, **changes: Any) -> str:
        return self.signed(self.claims(**changes))

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode(claims, self.key, "RS256", headers={"kid": self.kid} | header)

    def keys(self) -> dict[str, Any]:
        if self.document is not None:
            return self.document
        return {"keys": [jwk(self.key, self.kid), *self.listed]}

    def rotate(self, kid: str) -> None:
        """From now on it signs with another key, and withdraws the old one."""
        self.key, self.kid = new_rsa(), kid

    def approve(self, url: str, **claims: Any) -> dict[str, str]:
        """What a person's login at the provider brings back to the redirect URI."""
        asked = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        code = secrets.token_urlsafe()
        self.codes[code] = asked | {"claims": claims}
        return {"code": code, "state": asked["state"], "iss": self.issuer}


@asynccontextmanager
async def oidc_stub() -> AsyncIterator[Stub]:
    """Serve it."""
    port = free_port()
    stub = Stub(issuer=f"http://127.0.0.1:{port}")

    async def metadata(_: Request) -> Response:
        return _unless_away(
            stub,
            {
                "issuer": stub.issuer,
                "jwks_uri": f"{stub.issuer}/keys",
                "authorization_endpoint": f"{stub.issuer}/authorize?tenant=x",
                "token_endpoint": f"{stub.issuer}/token",
            },
        )

    async def keys(_: Request) -> Response:
        stub.asked += 1
        return _unless_away(stub, stub.keys())

    async def token(request: Request) -> Response:
        form = {name: v[0] for name, v in parse_qs((await request.body()).decode()).items()}
        begun = stub.codes.pop(form.get("code", ""), None)
        if begun is None or not _fits(begun, form, request):
            return JSONResponse({"error": "invalid_grant"}, BAD)
        named = {"aud": CLIENT, "nonce": begun["nonce"]} | begun["claims"]
        return _unless_away(stub, {"id_token": stub.token(**named), "token_type": "Bearer"})

    routes = [
        Route("/.well-known/openid-configuration", metadata),
        Route("/keys", keys),
        Route("/token", token, methods=["POST"]),
    ]
    async with running(serve(Starlette(routes=routes), port)), httpx2.AsyncClient() as client:

        async def answers() -> bool:
            try:
                return (await client.get(f"{stub.issuer}/keys")).is_success
            except httpx2.TransportError:
                return False

        await eventually(answers, why="the provider answers")
        yield stub


def _fits(begun: dict[str, Any], form: dict[str, str], request: Request) -> bool:
    challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
    return (
        begun["code_challenge"] == challenge.decode()
        and begun["code_challenge_method"] == "S256"
        and begun["redirect_uri"] == form["redirect_uri"]
        and request.headers.get("authorization", "").startswith("Basic ")
    )


def _unless_away(stub: Stub, said: dict[str, Any]) -> Response:
    return JSONResponse({"error": "away"}, 503) if stub.away else JSONResponse(said)


def callback(given: dict[str, str]) -> str:
    """The path that a browser is sent back to."""
    return f"/auth/callback?{urlencode(given)}"
