"""A system under test: topics, schema, roles and a tenant, and its services in this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from deploy.jobs.roles import ROLE_OF, give_passwords
from deploy.jobs.topics import create_topics
from deploy.migrations import migrate
from shared.audit.keys import keys_of
from shared.audit.recorder import Recorder
from shared.kafka_settings import plain
from shared.tasks import end

PASSWORD = "only-for-tests"
SECRET = "only-for-tests-but-long-enough-to-be-one"
AUDIT = Recorder(keys_of(None, SECRET))
PARTITIONS = 6

Record = tuple[str, bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]


async def prepared(dsn: str, tenants: Sequence[str] = ("acme", "globex")) -> dict[str, str]:
    """Migrate a database and make tenants; answers each service's own DSN."""
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    await connection.executemany(
        "INSERT INTO tenants (tenant_id) VALUES ($1)", [(tenant,) for tenant in tenants]
    )
    await connection.close()
    return await give_passwords(dsn, dict.fromkeys(ROLE_OF, PASSWORD), AUDIT)


async def topics(bootstrap: str, prefix: str) -> None:
    """Make the register's topics under a prefix."""
    await create_topics(plain(bootstrap), prefix, PARTITIONS)


async def publish(bootstrap: str, records: Sequence[Record]) -> None:
    """Send (topic, key, value, headers), acknowledged by all replicas."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        max_request_size=2 * 1024 * 1024,
        linger_ms=5,
    )
    async with producer:
        acks = [
            await producer.send(topic, value, key=key, headers=list(headers))
            for topic, key, value, headers in records
        ]
        await asyncio.gather(*acks)


class RawKey(str):
    """A header key whose bytes are no UTF-8: no producer of ours can send one."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe" + super().encode()


async def publish_spoiled(bootstrap: str, topic: str, values: Sequence[bytes], bad: int) -> None:
    """Send one batch to partition 0, in which the record at `bad` has a header key of `RawKey`."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    async with producer:
        batch = producer.create_batch()
        # The C builder asks no key to encode itself.
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 1024 * 1024)
        for place, value in enumerate(values):
            headers = [(RawKey("key"), b"x")] if place == bad else []
            batch.append(timestamp=None, key=b"k", value=value, headers=headers)
        batch.close()
        await (await producer.send_batch(batch, topic, partition=0))


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run a service in this loop; a service that fails fails the test."""
    task = asyncio.ensure_future(work)
    try:
        yield task
        if task.done():
            task.result()
    finally:
        await end([task])


Rows = Callable[..., Awaitable[list[asyncpg.Record]]]


@asynccontextmanager
async def querying(dsn: str) -> AsyncIterator[Rows]:
    """Ask the database as its superuser."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection.fetch
    finally:
        await connection.close()
