"""Which tokens prove whom, and all the others, which prove nobody."""

import json
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.permissions import AGENT, OPERATOR, VIEWER
from services.gateway.domain.problems import AwayError, Problem
from services.gateway.domain.tokens import ClaimMap, TokenError, principal_of
from services.gateway.service.remembered import Remembered
from services.gateway.service.token_keys import (
    AT_MOST_EVERY_S,
    AWAY_EVERY_S,
    FRESH_S,
    STALE_S,
    TokenKeys,
)
from services.gateway.service.tokens import MOST_TOKEN, Tokens, Trust, looks_like_token
from tests.support.oidc_stub import AUDIENCE, Stub, jwk, new_rsa, pem

STUB_KEY, OTHER_KEY = new_rsa(), new_rsa()


class World:
    """A provider without a network, and a clock."""

    def __init__(self, algorithms: tuple[str, ...] = ("RS256", "ES256")) -> None:
        self.stub = Stub(key=STUB_KEY)
        self.now = 1000.0
        self.keys = TokenKeys(self._fetch, lambda: self.now)
        trust = Trust(self.stub.issuer, AUDIENCE, algorithms, leeway_s=30)
        self.tokens = Tokens(self.keys, trust, ClaimMap(), Remembered(self._tenant))

    async def _fetch(self) -> Mapping[str, Any]:
        self.stub.asked += 1
        if self.stub.away:
            raise AwayError("oidc")
        return self.stub.keys()

    async def _tenant(self, name: str) -> str | None:
        return name if name in {"acme", "globex"} else None

    async def refused(self, token: str) -> str:
        with pytest.raises(Problem) as found:
            await self.tokens.principal(token)
        assert found.value.status == 401
        return found.value.detail


async def test_a_token_that_holds_names_a_person_of_a_tenant() -> None:
    world = World()
    found = await world.tokens.principal(world.stub.token())
    assert (found.tenant_id, found.user, found.permissions) == ("acme", "ada", VIEWER)
    assert found.actor == "user:ada"


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("expired", {"exp": 1_700_000_000}, "expired"),
    ("not valid yet", {"nbf": 4_000_000_000}, "not valid yet"),
    ("issued in the future", {"iat": 4_000_000_000}, "not valid yet"),
    ("for another audience", {"aud": "other"}, "audience"),
    ("for nobody", {"aud": None}, "missing"),
    ("of another issuer", {"iss": "https://evil.example"}, "issuer"),
    ("of no issuer", {"iss": None}, "missing"),
    ("for ever", {"exp": None}, "missing"),
    ("of no subject", {"sub": None}, "missing"),
    ("of an endless subject", {"sub": "x" * 129}, "subject"),
    ("of an unknown tenant", {"tenant": "initech"}, "tenant"),
    ("of no tenant", {"tenant": None}, "tenant"),
    ("of a subject that cannot be shown", {"sub": "ada\n"}, "subject"),
    ("of no possible tenant", {"tenant": "a\0b"}, "tenant"),
    ("of a tenant that is a list", {"tenant": ["acme"]}, "tenant"),
]


@pytest.mark.parametrize(("changes", "why"), [one[1:] for one in WRONG], ids=[w[0] for w in WRONG])
async def test_a_token_with_a_wrong_claim_proves_nobody(changes: dict[str, Any], why: str) -> None:
    world = World()
    assert why in await world.refused(world.stub.token(**changes))


def unsigned(world: World, **header: Any) -> str:
    parts = ({"typ": "JWT", "kid": "one", **header}, world.stub.claims())
    encoded = (urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts)
    return ".".join(encoded) + "."


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "", None, 7, ["RS256"]])
async def test_a_token_without_a_signature_proves_nobody(alg: Any) -> None:
    world = World()
    await world.refused(unsigned(world, alg=alg))


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_a_public_key_is_never_taken_for_a_secret(alg: str) -> None:
    world = World()
    # PyJWT itself refuses to sign so; whoever attacks does not ask it.
    head = urlsafe_b64encode(json.dumps({"alg": alg, "kid": "one"}).encode()).rstrip(b"=")
    body = urlsafe_b64encode(json.dumps(world.stub.claims()).encode()).rstrip(b"=")
    mac = jwt.get_algorithm_by_name(alg)
    for secret in (pem(STUB_KEY), pem(STUB_KEY).strip(), json.dumps(world.stub.keys()).encode()):
        signature = mac.sign(head + b"." + body, secret)
        token = b".".join((head, body, urlsafe_b64encode(signature).rstrip(b"="))).decode()
        assert "algorithm" in await world.refused(token)


async def test_a_secret_among_the_providers_keys_is_no_key() -> None:
    world = World()
    oct_key = {"kty": "oct", "k": urlsafe_b64encode(b"s" * 32).decode(), "kid": "oct", "use": "sig"}
    world.stub.listed.append(oct_key)
    token = jwt.encode(world.stub.claims(), b"s" * 32, "HS256", headers={"kid": "oct"})
    assert "algorithm" in await world.refused(token)


async def test_a_key_of_somebody_else_or_for_something_else_fits_nothing() -> None:
    world = World()
    stub = world.stub
    forged = jwt.encode(stub.claims(), OTHER_KEY, "RS256", headers={"kid": "one"})
    assert "signature" in await world.refused(forged)
    stub.listed.append(jwk(OTHER_KEY, "for-secrets", use="enc"))
    stub.listed.append(jwk(OTHER_KEY, "other-alg", alg="PS256"))
    world.now += AT_MOST_EVERY_S
    for kid in ("unknown", "for-secrets", "other-alg"):
        token = jwt.encode(stub.claims(), OTHER_KEY, "RS256", headers={"kid": kid})
        assert "key" in await world.refused(token)
    embedded = {"kid": "one", "jwk": jwk(OTHER_KEY, "one"), "jku": "https://evil.example/keys"}
    assert "signature" in await world.refused(
        jwt.encode(stub.claims(), OTHER_KEY, "RS256", headers=embedded)
    )


async def test_a_key_that_is_too_short_is_not_believed() -> None:
    world, weak = World(), new_rsa(1024)
    world.stub.listed.append(jwk(weak, "weak"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        token = jwt.encode(world.stub.claims(), weak, "RS256", headers={"kid": "weak"})
    await world.refused(token)


async def test_elliptic_keys_are_taken_on_the_curve_of_their_algorithm() -> None:
    world = World()
    for curve, kid in ((ec.SECP256R1(), "p256"), (ec.SECP384R1(), "p384")):
        world.stub.listed.append(jwk(ec.generate_private_key(curve), kid))
    key = ec.generate_private_key(ec.SECP256R1())
    world.stub.listed.append(jwk(key, "mine"))
    good = jwt.encode(world.stub.claims(), key, "ES256", headers={"kid": "mine"})
    assert (await world.tokens.principal(good)).user == "ada"
    assert "key" in await world.refused(
        jwt.encode(world.stub.claims(), key, "ES256", headers={"kid": "p384"})
    )
    # The family decides, not what the token says of itself.
    assert "key" in await world.refused(
        jwt.encode(world.stub.claims(), key, "ES256", headers={"kid": "one"})
    )


async def test_a_token_may_leave_out_its_key_where_it_can_only_mean_one() -> None:
    world = World()
    token = jwt.encode(world.stub.claims(), STUB_KEY, "RS256")
    assert "kid" not in jwt.get_unverified_header(token)
    assert (await world.tokens.principal(token)).user == "ada"
    world.stub.listed.append(jwk(OTHER_KEY, "two"))
    world.now += FRESH_S
    assert "key" in await world.refused(token)


async def test_an_algorithm_that_is_not_set_is_refused_however_well_signed() -> None:
    world = World(algorithms=("ES256",))
    assert "algorithm" in await world.refused(world.stub.token())


async def test_what_only_those_must_read_who_understand_it_is_refused() -> None:
    world = World()
    token = world.stub.signed(world.stub.claims(), crit=["b64x"], b64x=True)
    await world.refused(token)


async def test_a_huge_token_is_refused_before_it_is_read() -> None:
    world = World()
    token = world.stub.token(padding="x" * MOST_TOKEN)
    assert "long" in await world.refused(token)
    assert world.stub.asked == 0


async def test_clocks_may_differ_by_the_leeway_and_no_more() -> None:
    world = World()
    now = world.stub.claims()["iat"]
    assert (await world.tokens.principal(world.stub.token(exp=now - 25))).user == "ada"
    assert "expired" in await world.refused(world.stub.token(exp=now - 31))


@given(st.data())
async def test_whatever_is_changed_in_a_token_it_proves_nobody(data: st.DataObject) -> None:
    world = World()
    token = world.stub.token()
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = token[:at] + other + token[at + 1 :]
    # The last character's lowest bits say nothing in base64.
    if changed == token or at == len(token) - 1:
        return
    await world.refused(changed)


async def test_a_new_key_is_taken_as_soon_as_a_token_names_it_and_an_old_one_no_longer() -> None:
    world = World()
    old = world.stub.token()
    await world.tokens.principal(old)
    world.stub.rotate("two")
    world.now += AT_MOST_EVERY_S
    await world.tokens.principal(world.stub.token())
    assert "key" in await world.refused(old)


async def test_a_withdrawn_key_is_not_believed_for_long() -> None:
    world = World()
    old = world.stub.token()
    await world.tokens.principal(old)
    world.stub.rotate("two")
    world.now += FRESH_S
    assert "key" in await world.refused(old)


async def test_made_up_ids_of_keys_ask_the_provider_seldom() -> None:
    world = World()
    for number in range(50):
        token = jwt.encode(
            world.stub.claims(), OTHER_KEY, "RS256", headers={"kid": f"made-up-{number}"}
        )
        await world.refused(token)
        world.now += 0.1
    assert world.stub.asked == 1


async def test_while_the_provider_is_away_known_keys_go_on_for_a_day() -> None:
    world = World()
    token = world.stub.token()
    await world.tokens.principal(token)
    world.stub.away = True
    world.now += STALE_S - 1
    assert (await world.tokens.principal(token)).user == "ada"
    world.now += 1
    with pytest.raises(AwayError):
        await world.tokens.principal(token)


@pytest.mark.parametrize("document", [{}, {"error": "later"}, {"keys": None}, {"keys": "none"}])
async def test_an_answer_that_is_no_key_set_takes_none_away(document: dict[str, Any]) -> None:
    world = World()
    token = world.stub.token()
    await world.tokens.principal(token)
    world.stub.document = document
    world.now += FRESH_S
    assert (await world.tokens.principal(token)).user == "ada"
    world.stub.rotate("two")
    with pytest.raises(AwayError):
        await world.tokens.principal(world.stub.token())


async def test_an_empty_key_set_withdraws_all() -> None:
    world = World()
    token = world.stub.token()
    await world.tokens.principal(token)
    world.stub.document = {"keys": []}
    world.now += FRESH_S
    assert "key" in await world.refused(token)


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {"kty": "EC", "crv": "P-256", "x": 7, "y": None},
        {"kty": "EC", "crv": "P-256", "x": "é", "y": "A" * 43},
        {"kty": "EC", "crv": "P-256"},
    ],
)
async def test_a_key_that_cannot_be_read_proves_nobody(odd: dict[str, Any]) -> None:
    world = World()
    world.stub.listed.append(odd | {"kid": "odd", "use": "sig"})
    key = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode(world.stub.claims(), key, "ES256", headers={"kid": "odd"})
    assert "read" in await world.refused(token)


async def test_a_provider_that_never_answered_is_away_and_no_reason_to_refuse() -> None:
    world = World()
    world.stub.away = True
    with pytest.raises(AwayError):
        await world.tokens.principal(world.stub.token())
    world.stub.away = False
    world.now += AWAY_EVERY_S
    assert (await world.tokens.principal(world.stub.token())).user == "ada"


@pytest.mark.parametrize(
    ("claims", "named", "permissions"),
    [
        ({"roles": ["agent", "operator"]}, ClaimMap(), AGENT | OPERATOR),
        ({"roles": "agent viewer"}, ClaimMap(), AGENT | VIEWER),
        ({"roles": ["root", "Admin", 7, None]}, ClaimMap(), frozenset()),
        ({"roles": {"admin": True}}, ClaimMap(), frozenset()),
        ({}, ClaimMap(), frozenset()),
        ({"roles": ["viewer"]}, ClaimMap(roles={"ops": "operator"}), frozenset()),
        ({"groups": ["ops"]}, ClaimMap(roles_claim="groups", roles={"ops": "operator"}), OPERATOR),
        (
            {"realm_access": {"roles": ["agent"]}},
            ClaimMap(roles_claim="realm_access.roles"),
            AGENT,
        ),
        (
            {"https://assay/roles.v1": ["agent"]},
            ClaimMap(roles_claim="https://assay/roles.v1"),
            AGENT,
        ),
    ],
)
def test_roles_are_mapped_and_unknown_ones_permit_nothing(
    claims: dict[str, Any], named: ClaimMap, permissions: frozenset[str]
) -> None:
    found = principal_of({"sub": "ada", "tenant": "acme"} | claims, named)
    assert found.permissions == permissions


def test_tenants_are_mapped_and_a_fixed_one_is_everybodys() -> None:
    claims = {"sub": "ada", "tenant": "org_17"}
    assert principal_of(claims, ClaimMap(tenants={"org_17": "acme"})).tenant_id == "acme"
    assert principal_of(claims, ClaimMap(tenant="globex")).tenant_id == "globex"
    with pytest.raises(TokenError, match="not known"):
        principal_of(claims, ClaimMap(tenants={"org_18": "acme"}))


def test_an_api_key_is_never_taken_for_a_token() -> None:
    assert not looks_like_token("assay_abcdefghijkl_" + "x" * 43)
