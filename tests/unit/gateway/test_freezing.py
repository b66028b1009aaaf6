"""A dataset that was asked for is told of, whatever happens while it is waited for."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from services.gateway.domain.datasets import EXAMPLE, DatasetRequest
from services.gateway.domain.problems import AwayError
from services.gateway.service import freezing
from services.gateway.service.freezing import Freezing


class Store:
    """It keeps what is asked for, and is away afterwards."""

    def __init__(self) -> None:
        self.added: list[UUID] = []

    async def add(self, _: str, dataset_id: UUID, *__: Any) -> dict[str, Any]:
        self.added.append(dataset_id)
        told = {"dataset_id": dataset_id, "state": "freezing", "rows": None, "sha256": None}
        return EXAMPLE | {"filters": "{}", "splits": "{}", "manifest": None} | told

    async def dataset(self, *_: Any) -> Any:
        raise AwayError("postgres")


async def test_postgres_that_goes_away_while_waiting_fails_no_dataset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(freezing, "LOOK_EVERY_S", 0)
    store = Store()
    asked = DatasetRequest(name="support-answers")
    found = await Freezing(store, uuid4, lambda: 0.0).freeze("acme", asked, "key:one")
    assert found["state"] == "freezing"  # which is answered with 202
    assert store.added == [found["id"]]
