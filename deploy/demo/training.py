"""The demo's training rows: each prediction's, and one for each truth that a model missed."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg
import httpx2

from deploy.demo.summary import Summary
from deploy.system import Running

WITHIN_S = 120.0
EVERY_S = 0.3
EXPORT = "/ai/training-data/export"


class Rows(NamedTuple):
    """How many rows of each kind are ready."""

    answers: int
    corrections: int


class DemoTraining:
    """What feedback made of the ground truth."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._before = Rows(0, 0)
        self._since = datetime.now(UTC)
        self.found = Rows(0, 0)

    async def begin(self) -> None:
        """Count what earlier runs left."""
        self._before = await self._rows()
        self._since = datetime.now(UTC)

    async def covers(self, expected: Rows) -> None:
        """Wait until the rows of all that was served are there, or too long."""
        give_up_at = time.monotonic() + WITHIN_S
        while True:
            found = await self._rows()
            self.found = Rows(*(now - then for now, then in zip(found, self._before, strict=True)))
            if self.found == expected or time.monotonic() > give_up_at:
                return
            await asyncio.sleep(EVERY_S)

    async def report(self, summary: Summary, expected: Rows) -> None:
        """Compare what was made with what was served, and with what an export gives of it."""
        summary.expect("training rows and corrections", expected, self.found)
        summary.training_examples = sum(self.found)
        summary.corrections = self.found.corrections
        summary.preference_pairs = await self._exported()
        summary.expect("preference pairs", await self._missed(), summary.preference_pairs)

    async def _rows(self) -> Rows:
        counted = await self._ask(
            "SELECT kind, count(*) FROM model_training_data"
            " WHERE tenant_id = $1 AND state = 'ready' GROUP BY kind"
        )
        by = {row[0]: row[1] for row in counted}
        return Rows(by.get("answer", 0), by.get("correction", 0))

    async def _missed(self) -> int:
        """What models said and should have said of one image, each once: that is a pair."""
        found = await self._ask(
            "SELECT count(DISTINCT (input, output, correction)) FROM model_training_data"
            " WHERE tenant_id = $1 AND state = 'ready' AND correction IS NOT NULL"
            " AND occurred_at >= $2",
            self._since,
        )
        return int(found[0][0])

    async def _exported(self) -> int:
        """Pairs of this run in the preference export."""
        headers = {"Authorization": f"Bearer {self._running.admin_key}"}
        params = {"shape": "preference", "from": self._since.isoformat()}
        async with httpx2.AsyncClient(
            base_url=self._running.gateway_url, headers=headers, timeout=120
        ) as client:
            answer = await client.get(EXPORT, params=params)
            answer.raise_for_status()
        return answer.content.count(b"\n")

    async def _ask(self, question: str, *values: Any) -> list[Any]:
        connection = await asyncpg.connect(self._running.addresses.postgres_dsn)
        try:
            rows: list[Any] = await connection.fetch(question, self._running.tenant, *values)
        finally:
            await connection.close()
        return rows
