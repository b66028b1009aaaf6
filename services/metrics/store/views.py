"""Reads cells of every partition, writes the views that the gateway serves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.metrics.domain.addresses import CellAddress, Position
from services.metrics.domain.windows import Model
from shared import keys
from shared.delivery.plan import Partition
from shared.delivery.redis import Client
from shared.measures.cells import Cell, Series

MOST_NAMES = 500_000


class RedisViews:
    """Views in Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._names: dict[bytes, tuple[Series, str]] = {}

    async def positions(self, partitions: Sequence[Partition]) -> dict[Partition, Position]:
        """Positions of those partitions that have one."""
        pipeline = self._client.pipeline(transaction=False)
        for partition in partitions:
            pipeline.hmget(keys.fence(*partition), ["epoch", "next", "gen"])
        answers = await pipeline.execute()
        return {
            partition: Position(*map(int, answer))
            for partition, answer in zip(partitions, answers, strict=True)
            if None not in answer
        }

    async def touched(self, partition: Partition, generation: int, since: int) -> Sequence[str]:
        """Members of cells that changed at or after an offset."""
        name = keys.touched(*partition, generation)
        members: Any = await self._client.zrangebyscore(name, since, "+inf")
        return [member.decode() for member in members]

    async def cells(self, addresses: Sequence[CellAddress]) -> list[dict[Series, Cell]]:
        """Contents of cells."""
        if not addresses:
            return []
        pipeline = self._client.pipeline(transaction=False)
        for partition, generation, member in addresses:
            pipeline.hgetall(keys.cell(*partition, generation, member))
        return [self._parsed(content) for content in await pipeline.execute()]

    async def show(self, model: Model, fields: Mapping[str, str], line: str) -> None:
        """Replace a model's view."""
        pipeline = self._client.pipeline(transaction=False)
        content: Any = dict(fields)
        pipeline.hset(keys.view(*model), mapping=content)
        pipeline.hset(keys.models(model[0]), model[1], line)
        await pipeline.execute()

    async def hide(self, model: Model) -> None:
        """Remove a model's view."""
        await self._client.delete(keys.view(*model))
        await self._client.hdel(keys.models(model[0]), model[1])

    async def looked(self, shares: Iterable[int], at_ms: int) -> None:
        """Say that these shares' views are right as of now."""
        await self._client.hset(keys.LOOKED, mapping={str(share): at_ms for share in shares})

    async def remember_tenants(self, tenants: Mapping[str, bool]) -> None:
        """Keep a copy of the tenants for when Postgres is away."""
        if tenants:
            await self._client.sadd(keys.TENANTS, *tenants)

    async def remembered_tenants(self) -> Mapping[str, bool]:
        """The copy; content is no concern of metrics."""
        names: Any = await self._client.smembers(keys.TENANTS)
        return {name.decode(): True for name in names}

    def _parsed(self, content: Mapping[bytes, bytes]) -> dict[Series, Cell]:
        cells: dict[Series, Cell] = {}
        names = self._names
        if len(names) > MOST_NAMES:
            names.clear()
        for field, count in content.items():
            parsed = names.get(field)
            if parsed is None:
                parsed = names[field] = keys.split_field(field.decode())
            value = int(count)
            if value:
                cells.setdefault(parsed[0], {})[parsed[1]] = value
        return cells
