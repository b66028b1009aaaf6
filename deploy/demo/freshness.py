"""Measures freshness from outside: from the gateway's 202 until the gateway shows the event."""

import asyncio
import time

import httpx2

from deploy.system import Running

EVERY_S = 0.25
POLL_S = 0.01
GIVE_UP_S = 30.0
ACCEPTED = 202


class FreshnessProbe:
    """Logs one operation at a time and watches for it."""

    model_id = "freshness-probe"

    def __init__(self, running: Running) -> None:
        self.sent = 0
        self._running = running
        self._seen_after_ms: list[float] = []
        self._stopping = False

    async def run(self) -> None:
        """Probe until told to stop."""
        headers = {"Authorization": f"Bearer {self._running.admin_key}"}
        async with httpx2.AsyncClient(
            base_url=self._running.gateway_url, headers=headers, timeout=15
        ) as client:
            already = await self._shown(client)
            while not self._stopping:
                await self._log(client)
                acknowledged = time.perf_counter()
                while await self._shown(client) < already + self.sent:
                    if time.perf_counter() - acknowledged > GIVE_UP_S:
                        return
                    await asyncio.sleep(POLL_S)
                self._seen_after_ms.append((time.perf_counter() - acknowledged) * 1000)
                await asyncio.sleep(EVERY_S)

    async def stop(self, task: "asyncio.Task[None]") -> None:
        """Let the probe in flight finish."""
        self._stopping = True
        await task

    def percentiles(self) -> tuple[float | None, float | None]:
        """p50 and p99 in milliseconds; nothing when nothing was seen."""
        values = sorted(self._seen_after_ms)
        if not values:
            return None, None
        return tuple(round(values[int(share * (len(values) - 1))], 1) for share in (0.5, 0.99))  # type: ignore[return-value]

    async def _log(self, client: httpx2.AsyncClient) -> None:
        event = {
            "operation_id": f"probe-{time.time_ns()}",
            "model_id": self.model_id,
            "success": True,
            "response_time_ms": 1,
        }
        answer = await client.post("/ai/operations/log", json=event)
        answer.raise_for_status()
        self.sent += 1

    async def _shown(self, client: httpx2.AsyncClient) -> int:
        answer = await client.get(f"/ai/metrics/{self.model_id}", params={"window": "7d"})
        return int(answer.json().get("sample", 0)) if answer.is_success else 0
