"""A service's surroundings: topics to publish to, and a database to look into."""

from collections.abc import Iterable
from typing import Any

import asyncpg

from tests.support.events import encoded
from tests.support.system import Record, publish


class Surroundings:
    """What tests of a service do around it."""

    def __init__(self, bootstrap: str, dsn: str, prefix: str) -> None:
        self.bootstrap = bootstrap
        self.dsn = dsn
        self.prefix = prefix
        self.sent: dict[str, int] = {}
        """How many records, by topic."""

    async def send(self, kind: str, events: Iterable[dict[str, Any]]) -> None:
        """Publish events, keyed as agents key them."""
        topic = f"{self.prefix}{kind}.v1"
        name = "event_id" if kind == "exposures" else "operation_id"
        records: list[Record] = [
            (topic, str(event[name]).encode(), encoded(event), ()) for event in events
        ]
        await publish(self.bootstrap, records)
        self.sent[topic] = self.sent.get(topic, 0) + len(records)

    async def sql(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Ask or tell Postgres as its superuser."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()
