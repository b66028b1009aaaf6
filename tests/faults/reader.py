"""Two tenants that read: what they must never see, and how they are answered."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx2

OK, NOT_FOUND = 200, 404
FINE = {OK, NOT_FOUND, 503}


class Reader:
    """Reads for every tenant, and counts what belongs to another one."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self.leaks: list[str] = []
        self._known: dict[str, str] = {}
        """An operation of each tenant."""
        self.statuses: Counter[tuple[str, int]] = Counter()

    async def look(self, client: httpx2.AsyncClient) -> None:
        """One round over all tenants and endpoints."""
        for tenant in self._keys:
            await self._operations(client, tenant)
            for other in self._keys:
                await self._models(client, tenant, other)

    @property
    def reads(self) -> int:
        """How many answers had something in them."""
        return sum(times for (_, status), times in self.statuses.items() if status == OK)

    def wrong(self) -> list[str]:
        """Answers that nobody should get, whatever is away, and those that nobody ever got."""
        bad = [
            f"{path} answered {status}, {times} times"
            for (path, status), times in sorted(self.statuses.items())
            if status not in FINE
        ]
        paths = {path for path, _ in self.statuses}
        return bad + [f"{path} never answered" for path in paths if not self.statuses[path, OK]]

    async def _operations(self, client: httpx2.AsyncClient, tenant: str) -> None:
        found = await self._get(client, tenant, "/ai/operations", {"limit": 20})
        for item in found["items"] if found else ():
            self._known[tenant] = item["operation_id"]
            if item["agent_id"] != tenant:
                self.leaks.append(f"{tenant} sees {item['operation_id']} of {item['agent_id']}")
        for other, name in self._known.items():
            path = f"/ai/operations/{name}"
            found = await self._get(client, tenant, path, {}, shown="/ai/operations/{id}")
            if found is not None and other != tenant:
                self.leaks.append(f"{tenant} sees {name} of {other}")

    async def _models(self, client: httpx2.AsyncClient, tenant: str, other: str) -> None:
        found = await self._get(client, tenant, f"/ai/metrics/only-{other}", {"window": "5m"})
        if found is not None and other != tenant:
            self.leaks.append(f"{tenant} sees the metrics of only-{other}")
        found = await self._get(client, tenant, "/ai/models", {})
        names = {item["model_id"] for item in found["items"]} if found else set()
        if other != tenant and f"only-{other}" in names:
            self.leaks.append(f"{tenant} sees the model only-{other}")

    async def _get(
        self,
        client: httpx2.AsyncClient,
        tenant: str,
        path: str,
        query: dict[str, Any],
        *,
        shown: str = "",
    ) -> Any:
        """The JSON of a 200; nothing otherwise."""
        headers = {"Authorization": f"Bearer {self._keys[tenant]}"}
        answer = await client.get(path, params=query, headers=headers)
        self.statuses[shown or path, answer.status_code] += 1
        return answer.json() if answer.status_code == OK else None
