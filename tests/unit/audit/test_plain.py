"""No secret and nobody's words come into the log."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.audit.plain import HIDDEN, MOST_BYTES, SECRETS, TEXTS, told


def _told(content: object) -> str:
    text = told(content, lambda text: f"hmac:{len(text)}", lambda user: f"v1.{len(user)}")
    assert text is not None
    return text


@pytest.mark.parametrize("name", sorted(TEXTS | SECRETS | {"reviewer", "user_id", "url"}))
def test_members_that_may_hold_them_hold_none(name: str) -> None:
    for content in ({name: "PLANTED"}, {"a": [{"b": {name: "PLANTED"}}]}):
        assert "PLANTED" not in _told(content)


def test_what_stands_for_them() -> None:
    content = {
        "secret": "s",
        "comment": "bad",
        "note": "",
        "correction": None,
        "metadata": {"who": "me"},
        "reviewer": "key:a/Max",
        "url": "https://user:word@hooks.example/T0/B0",
    }
    assert json.loads(_told(content)) == {
        "secret": HIDDEN,
        "comment": "hmac:3",
        "note": "",
        "correction": None,
        "metadata": "hmac:12",
        "reviewer": "v1.9",
        "url": "hooks.example/hmac:37",
    }


def test_objects_are_written_in_one_way() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    text = _told({"b": UUID(int=1), "a": at, "c": "é\0"})
    expected = '{"a":"2026-01-01T00:00:00Z","b":"00000000-0000-0000-0000-000000000001"'
    assert text == expected + ',"c":"\\u00e9\\u0000"}'
    assert told(None, str, str) is None


def test_long_texts_and_large_objects_are_digests() -> None:
    assert _told({"name": "x" * 300}) == '{"name":"hmac:300"}'
    large = _told({f"name {number}": "x" * 200 for number in range(200)})
    assert large.startswith('{"digest":"hmac:')
    assert len(large) < MOST_BYTES
