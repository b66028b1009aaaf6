"""Sends traffic by way of a journal: to Kafka as agents do, and over HTTP as others do."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Self

import httpx2
from aiokafka import AIOKafkaProducer

from tests.faults.journal import Ack, Intent, Journal
from tests.faults.traffic import Maker

ACK_WITHIN_S = 20
ANSWER_WITHIN_S = 15
ACCEPTED = 202
TRY_AGAIN = {429, 503}


class Sender:
    """Kafka's side: what is not acknowledged in time may be there or not."""

    def __init__(self, bootstrap: str, journal: Journal, maker: Maker) -> None:
        self._bootstrap = bootstrap
        self._journal = journal
        self._maker = maker
        self._producer: AIOKafkaProducer | None = None
        self.acknowledged = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._renounce()

    async def send(self, count: int) -> int:
        """Send `count` records; answers how many were acknowledged."""
        producer = await self._started()
        pairs = [self._maker.record() for _ in range(count)]
        self._journal.intend(intent for intent, _ in pairs)
        done, failed = [], False
        try:
            async with asyncio.timeout(ACK_WITHIN_S):
                waiting = [
                    await producer.send(topic, value, key=key, headers=list(headers))
                    for _, (topic, key, value, headers) in pairs
                ]
                done = await asyncio.gather(*waiting, return_exceptions=True)
        except Exception:
            failed = True
        acks = []
        for pair, answer in zip(pairs, done, strict=False):
            if isinstance(answer, BaseException):
                failed = True
            else:
                acks.append(Ack(pair[0].number, answer.partition, answer.offset))
                self._maker.acknowledged(pair)
        self._journal.acknowledged(acks)
        self.acknowledged += len(acks)
        if failed:
            await self._renounce()  # an idempotent producer in trouble stays in trouble
        return len(acks)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True, linger_ms=5
            )
            try:
                async with asyncio.timeout(10):
                    await producer.start()
            except BaseException:
                await _stopped(producer)
                raise
            self._producer = producer
        return self._producer

    async def _renounce(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await _stopped(producer)


class Poster:
    """The gateway's side: one that gets no answer sends the same events again."""

    def __init__(self, journal: Journal, maker: Maker, keys: Mapping[str, str]) -> None:
        self._journal = journal
        self._maker = maker
        self._keys = keys
        self._unanswered: dict[str, list[tuple[Intent, dict[str, Any]]]] = {}
        self.statuses: Counter[int] = Counter()
        self.took_s: list[float] = []
        """How long each answer took that was a 202."""

    @property
    def waits(self) -> int:
        """How many events had no answer yet."""
        return sum(map(len, self._unanswered.values()))

    async def post(self, client: httpx2.AsyncClient, count: int) -> int:
        """Post `count` operations, and what had no answer before; answers how many were taken."""
        made = [self._maker.operation() for _ in range(count)]
        self._journal.intend(intent for _, intent, _ in made)
        for tenant, intent, event in made:
            self._unanswered.setdefault(tenant, []).append((intent, event))
        return sum([await self._offer(client, tenant) for tenant in sorted(self._unanswered)])

    async def _offer(self, client: httpx2.AsyncClient, tenant: str) -> int:
        offered = self._unanswered[tenant][:500]
        if not offered:
            return 0
        headers = {"Authorization": f"Bearer {self._keys[tenant]}"}
        started = time.monotonic()
        try:
            answer = await client.post(
                "/ai/operations/log", json=[event for _, event in offered], headers=headers
            )
        except httpx2.TransportError:
            self.statuses[0] += 1
            return 0
        self.statuses[answer.status_code] += 1
        if answer.status_code in TRY_AGAIN:
            assert answer.headers["retry-after"]
            return 0
        assert answer.status_code == ACCEPTED, (answer.status_code, answer.text)
        self.took_s.append(time.monotonic() - started)
        assert answer.json()["accepted"] == len(offered)
        del self._unanswered[tenant][: len(offered)]
        self._journal.acknowledged(Ack(intent.number) for intent, _ in offered)
        return len(offered)


async def _stopped(producer: AIOKafkaProducer) -> None:
    """aiokafka's stop may hang while the broker is away."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(2):
            await producer.stop()
