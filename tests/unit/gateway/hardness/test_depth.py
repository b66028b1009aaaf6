"""How deep JSON goes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.gateway.domain.depth import MOST_PARTS, has_too_many_parts, is_too_deep
from services.gateway.domain.intake import read_body
from services.gateway.domain.problems import Problem
from services.gateway.routes.bodies import MAX_BODY, parsed

VALUES = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\x'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('"\\[{'), inner, max_size=3)
    ),
    max_leaves=20,
)


def depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth, inside), default=0) if isinstance(value, dict | list) else 0


@given(VALUES, st.integers(0, 5))
def test_it_is_what_the_parsed_value_has(value: Any, most: int) -> None:
    assert is_too_deep(json.dumps(value).encode(), most) == (depth(value) > most)


@given(st.binary())
def test_it_says_something_of_any_bytes(body: bytes) -> None:
    assert is_too_deep(body, 2) in {True, False}


def test_a_body_that_is_too_deep_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(Problem, match="too deep") as refused:
        parsed(b"[" * 500_000, BaseModel)
    assert refused.value.errors[0]["code"] == "too_deep"


def parts(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value
    return 1 + sum(map(parts, inside)) if isinstance(value, dict | list) else 0


@given(VALUES, st.integers(0, 5))
def test_parts_are_counted_and_brackets_in_texts_are_not(value: Any, most: int) -> None:
    assert has_too_many_parts(json.dumps(value).encode(), most) == (parts(value) > most)


@pytest.mark.parametrize("unit", [b'\\"', b'"\\', b'"', b"\\", b'"\\"', b'["', b'"a'])
def test_no_bytes_take_longer_than_others(unit: bytes) -> None:
    """An expression that tries each quote anew would take hours for these."""
    body = b"[]" * 20 + unit * (MAX_BODY // len(unit))
    assert is_too_deep(body) in {True, False}
    assert has_too_many_parts(body, 20) in {True, False}


@pytest.mark.parametrize("read", [read_body, lambda body: parsed(body, BaseModel)])
def test_a_body_of_too_many_parts_is_refused_before_it_is_parsed(
    read: Callable[[bytes], object],
) -> None:
    with pytest.raises(Problem, match="objects and lists") as refused:
        read(b'{"x":[' + b"[]," * MOST_PARTS + b"1]}")
    assert refused.value.status == 413
