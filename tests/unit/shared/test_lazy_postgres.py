"""A pool that is made when first needed."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr

from shared import stores
from shared.stores import LazyPostgres


async def test_two_who_need_it_first_at_once_share_one_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []
    may_connect = asyncio.Event()

    async def connect(*_: Any, **__: Any) -> object:
        made.append(object())
        await may_connect.wait()
        return made[-1]

    monkeypatch.setattr(stores, "connect_postgres", connect)
    lazy = LazyPostgres(SecretStr("postgresql://"), service="api")
    asked = [asyncio.ensure_future(lazy.pool()) for _ in range(2)]
    await asyncio.sleep(0)  # both have begun
    may_connect.set()
    one, other = await asyncio.gather(*asked)
    assert one is other
    assert len(made) == 1


async def test_who_comes_after_a_failure_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = [OSError("away"), pool := object()]

    async def connect(*_: Any, **__: Any) -> object:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(stores, "connect_postgres", connect)
    lazy = LazyPostgres(SecretStr("postgresql://"), service="api")
    with pytest.raises(OSError, match="away"):
        await lazy.pool()
    assert await lazy.pool() is pool
