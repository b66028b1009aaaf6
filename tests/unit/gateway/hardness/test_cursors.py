"""A cursor leads on in the list that answered it, and nowhere else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.cursor import Cursor, Place, Seal
from services.gateway.domain.problems import Problem
from tests.unit.gateway.hardness.asked import asking, gateway

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LAST = Cursor(NOON, UUID(int=7))
KEY, OTHER = b"k" * 32, b"o" * 32
PLACE = Place("acme", "/ai/operations", (), (("model_id", "m"),))
ELSEWHERE = [
    pytest.param(PLACE._replace(tenant_id="globex"), id="another tenant"),
    pytest.param(PLACE._replace(route="/ai/feedback"), id="another list"),
    pytest.param(PLACE._replace(path=(("channel_id", "1"),)), id="another object's list"),
    pytest.param(PLACE._replace(filters=()), id="without the filter"),
    pytest.param(PLACE._replace(filters=(("model_id", "n"),)), id="another filter"),
    pytest.param(PLACE._replace(filters=(("model_i", "dm"),)), id="the same letters"),
]


def test_it_leads_on_where_it_was_answered() -> None:
    assert Seal([KEY]).opened_row(Seal([KEY]).of_row(LAST, PLACE), PLACE) == LAST
    assert Seal([KEY]).opened(Seal([KEY]).of("a/model-ü", PLACE), PLACE) == "a/model-ü"


@pytest.mark.parametrize("place", ELSEWHERE)
def test_elsewhere_it_is_refused(place: Place) -> None:
    with pytest.raises(Problem) as refused:
        Seal([KEY]).opened_row(Seal([KEY]).of_row(LAST, PLACE), place)
    assert refused.value.status == 422
    assert refused.value.errors[0]["pointer"] == "/cursor"


@given(st.integers(0), st.integers(0, 7))
def test_any_changed_bit_is_refused(where: int, bit: int) -> None:
    text = Seal([KEY]).of_row(LAST, PLACE)
    raw = bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[where % len(raw)] ^= 1 << bit
    with pytest.raises(Problem):
        Seal([KEY]).opened_row(urlsafe_b64encode(bytes(raw)).decode().rstrip("="), PLACE)


@given(st.text() | st.binary().map(lambda one: urlsafe_b64encode(one).decode()))
def test_nothing_that_was_made_up_is_taken(text: str) -> None:
    with pytest.raises(Problem):
        Seal([KEY]).opened_row(text, PLACE)


def test_another_spelling_of_the_same_bytes_is_refused() -> None:
    text = Seal([KEY]).of_row(LAST, PLACE)
    for spelled in (text + "=", text + "\n", " " + text, text[:-1] + "!" + text[-1]):
        with pytest.raises(Problem):
            Seal([KEY]).opened_row(spelled, PLACE)


def test_of_one_list_it_opens_no_list_of_another_kind() -> None:
    with pytest.raises(Problem):
        Seal([KEY]).opened_row(Seal([KEY]).of("not a row", PLACE), PLACE)


def test_keys_change_without_anybody_losing_his_place() -> None:
    before = Seal([KEY]).of_row(LAST, PLACE)
    both = Seal([OTHER, KEY])
    assert both.opened_row(before, PLACE) == LAST
    assert Seal([OTHER]).opened_row(both.of_row(LAST, PLACE), PLACE) == LAST
    with pytest.raises(Problem):
        Seal([OTHER]).opened_row(before, PLACE)


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(ValueError, match="key"):
        Seal([])


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return gateway()


def paged() -> list[str]:
    """Every list that has pages, from the document: a new one cannot escape."""
    return [
        path
        for path, kinds in gateway().openapi()["paths"].items()
        for one in kinds.get("get", {}).get("parameters", ())
        if one["name"] == "cursor"
    ]


def test_there_are_lists_with_pages() -> None:
    assert len(paged()) >= 12


@pytest.mark.parametrize("path", paged())
@pytest.mark.parametrize("cursor", ["made-up", "model-1", "MjAyNi0xMS0yMFQxMjowMDowMCswMDowMCA3"])
async def test_every_list_refuses_a_cursor_that_it_has_not_answered(
    app: FastAPI, path: str, cursor: str
) -> None:
    filled = path.replace("{channel_id}", str(UUID(int=1)))
    async with asking(app) as client:
        answer = await client.get(filled, params={"cursor": cursor})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == "/cursor"


def test_keys_are_given_or_follow_from_the_secret() -> None:
    """Every gateway of an installation has the same, or pages would end at the next one."""
    first, again = gateway().state.seal, gateway().state.seal
    assert again.opened_row(first.of_row(LAST, PLACE), PLACE) == LAST
    given = gateway(gateway_cursor_keys=f"{OTHER.decode()} {KEY.decode()}").state.seal
    assert given.opened_row(Seal([KEY]).of_row(LAST, PLACE), PLACE) == LAST
    with pytest.raises(Problem):
        given.opened_row(first.of_row(LAST, PLACE), PLACE)
    with pytest.raises(ValueError, match="32 characters"):
        gateway(gateway_cursor_keys="short")
