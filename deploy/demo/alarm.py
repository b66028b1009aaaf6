"""The demo's alarm: a rule that nobody calls, and what it says while the input is bad and after."""

import asyncio
import time
from typing import Any

import httpx2

from deploy.system import Running

RULE = {
    "name": "demo: digits are read wrong",
    "metric": "feedback.accurate",
    "operator": "<",
    "warning": 0.8,
    "recovery": 0.85,
    "window": "5m",
}
TAKEN = 422
EVERY_S = 0.5
# Two looks, 4 s apart, once the views have followed; a slow machine gets thrice that.
WITHIN_S = 40.0


class Alarm:
    """Watches the alerts of one rule."""

    def __init__(self, running: Running) -> None:
        self.fired = self.resolved = 0
        self.waited_s = 0.0
        self.said: list[str] = []
        self._headers = {"Authorization": f"Bearer {running.admin_key}"}
        self._url = running.gateway_url
        self._rule_id = ""
        self._old: set[str] = set()

    async def install(self) -> None:
        """Make the rule, unless an earlier run has."""
        async with self._client() as client:
            answer = await client.post("/ai/alert-rules", json=RULE)
            if answer.status_code != TAKEN:
                answer.raise_for_status()
            rules = (await client.get("/ai/alert-rules", params={"limit": 1000})).json()["items"]
            self._rule_id = next(one["id"] for one in rules if one["name"] == RULE["name"])
            self._old = {one["id"] for one in await self._alerts(client)}

    async def fires(self) -> None:
        """Wait until somebody would be told."""
        self.fired = len(await self._until("firing", 1))

    async def ends(self) -> None:
        """Wait until all that fired has ended."""
        if self.fired:
            self.resolved = len(await self._until("resolved", self.fired))

    async def _until(self, state: str, count: int) -> list[dict[str, Any]]:
        started = time.monotonic()
        found: list[dict[str, Any]] = []
        async with self._client() as client:
            while len(found) < count and time.monotonic() - started < WITHIN_S:
                await asyncio.sleep(EVERY_S)
                alerts = await self._alerts(client)
                found = [
                    one for one in alerts if one["id"] not in self._old and one["state"] == state
                ]
        self.waited_s += time.monotonic() - started
        self.said += [f"{one['model_id']}: {state}: {one['reason']}" for one in found]
        return found

    async def _alerts(self, client: httpx2.AsyncClient) -> list[dict[str, Any]]:
        answer = await client.get("/ai/alerts", params={"rule_id": self._rule_id, "limit": 1000})
        answer.raise_for_status()
        return list(answer.json()["items"])

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self._url, headers=self._headers, timeout=15)
