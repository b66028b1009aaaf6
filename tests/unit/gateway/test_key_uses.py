"""What was noted of keys is written, whatever happened the time before."""

import asyncio
from collections.abc import Collection
from datetime import datetime

import pytest

from services.gateway.domain.api_keys import Principal
from services.gateway.domain.problems import AwayError
from services.gateway.service import key_uses
from services.gateway.service.key_uses import KeyUses
from tests.support.experiments import NOON
from tests.support.waiting import eventually


class Store:
    """Writes, or fails as it is told."""

    def __init__(self) -> None:
        self.failing: Exception | None = None
        self.asked = 0
        self.written: dict[str, set[str]] = {}

    async def used(self, tenant_id: str, key_ids: Collection[str], at: datetime) -> None:
        assert at == NOON
        self.asked += 1
        if self.failing is not None:
            raise self.failing
        self.written.setdefault(tenant_id, set()).update(key_ids)


def noted(store: Store) -> KeyUses:
    uses = KeyUses(store, lambda: NOON)
    for tenant in ("acme", "globex"):
        uses.note(Principal(tenant, f"key-of-{tenant}", frozenset()))
    return uses


async def test_what_could_not_be_written_is_written_later() -> None:
    store = Store()
    store.failing = AwayError("postgres")
    uses = noted(store)
    with pytest.raises(AwayError):
        await uses.write()
    store.failing = None
    uses.note(Principal("acme", "another", frozenset()))
    await uses.write()
    assert store.written == {"acme": {"key-of-acme", "another"}, "globex": {"key-of-globex"}}


@pytest.mark.parametrize("error", [AwayError("postgres"), RuntimeError("no such column")])
async def test_no_error_ends_the_writing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_uses, "EVERY_S", 0.0)
    store = Store()
    store.failing = error
    job = asyncio.ensure_future(noted(store).run())

    async def failed() -> bool:
        return store.asked > 1 or job.done()

    async def written() -> bool:
        return len(store.written) == 2 or job.done()

    try:
        await eventually(failed, why="it was tried twice")
        store.failing = None
        await eventually(written, why="both tenants' keys are noted")
        assert not job.done()
    finally:
        job.cancel()
