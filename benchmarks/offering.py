"""Batches of events offered to a gateway: `python -m benchmarks.offering` with a `Wanted` as JSON.

A process of its own, so that it does not wait where it measures. Prints a `Found` as JSON.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any, NamedTuple

EVENTS = 100
"""Of a batch, unless said."""
TIMEOUT_S = 30.0
RESTED_S = 2.0
"""A connection that rested longer is opened anew: servers close those of which nothing comes."""
OPERATION = "overload-%08d-%03d"
EVENT = json.dumps(
    {
        "operation_id": OPERATION,
        "model_id": "model-1",
        "success": True,
        "response_time_ms": 412.5,
        "provider": "openai",
        "operation_type": "chat",
        "agent_id": "agent-support-1",
        "environment": "production",
        "release": "2026.11.1",
        "session_id": "session-00000001",
        "user_id": "user-000001",
        "input_tokens": 512,
        "output_tokens": 128,
        "cost_usd": 0.000123,
        "metadata": {"region": "eu-west-1", "tier": "gold"},
    }
)
ACCEPTED, SHED = 202, (429, 503)


class Connection(NamedTuple):
    """One that is kept alive."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used_at: float


class Wanted(NamedTuple):
    """What to offer."""

    port: int
    key: str
    seconds: float
    connections: int
    first: int
    """The number of the first batch."""
    per_s: float
    """Batches begun per second, whatever became of earlier ones; 0 = the next after the last."""
    events: int = EVENTS
    """Of each batch."""
    path: str = "/ai/operations/log"


class Found(NamedTuple):
    """What became of it."""

    sent: int
    acknowledged: list[int]
    """Numbers of batches."""
    took_ms: list[float]
    """From a batch's first byte to its acknowledgement."""
    shed: int
    rude: int
    """Sent away without being told when to come back."""
    other: dict[str, int]
    unsent: int
    """Due while all connections waited."""


class Offering:
    """Keep-alive connections that post batches."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._next = wanted.first
        self._free: list[Connection] = []
        self.sent = self.shed = self.rude = self.unsent = 0
        self.acknowledged: list[int] = []
        self.took_ms: list[float] = []
        self.other: Counter[str] = Counter()

    async def run(self) -> Found:
        """Offer, then wait for what is under way."""
        wanted = self._wanted
        for _ in range(wanted.connections):
            self._free.append(await self._opened())
        until = time.perf_counter() + wanted.seconds
        await (self._paced(until) if wanted.per_s else self._in_turn(until))
        return Found(
            *(self.sent, self.acknowledged, self.took_ms, self.shed, self.rude),
            *(dict(self.other), self.unsent),
        )

    async def _in_turn(self, until: float) -> None:
        async def one() -> None:
            while time.perf_counter() < until:
                await self._post()

        await asyncio.gather(*(one() for _ in range(self._wanted.connections)))

    async def _paced(self, until: float) -> None:
        gap, due = 1 / self._wanted.per_s, time.perf_counter()
        async with asyncio.TaskGroup() as group:
            while due < until:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                due += gap
                if self._free:
                    group.create_task(self._post())
                else:
                    self.unsent += 1

    async def _post(self) -> None:
        number, self._next = self._next, self._next + 1
        reader, writer, used_at = self._free.pop()
        request = _request(number, self._wanted)
        started = time.perf_counter()
        if started - used_at > RESTED_S:
            writer.close()
            reader, writer, _ = await self._opened()
        try:
            self.sent += 1
            async with asyncio.timeout(TIMEOUT_S):
                writer.write(request)
                await writer.drain()
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.split(b"content-length: ")[1].split(b"\r\n")[0]
                await reader.readexactly(int(length))
        except (OSError, EOFError, TimeoutError) as error:
            self.other[type(error).__name__] += 1
            writer.close()
            self._free.append(await self._opened())
            return
        ended = time.perf_counter()
        self._free.append(Connection(reader, writer, ended))
        self._note(number, head, 1_000 * (ended - started))

    async def _opened(self) -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._wanted.port)
        return Connection(reader, writer, time.perf_counter())

    def _note(self, number: int, head: bytes, ms: float) -> None:
        status = int(head.split(b" ", 2)[1])
        if status == ACCEPTED:
            self.acknowledged.append(number)
            self.took_ms.append(round(ms, 2))
        elif status in SHED:
            self.shed += 1
            self.rude += b"\r\nretry-after: " not in head
        else:
            self.other[str(status)] += 1


def _request(number: int, wanted: Wanted) -> bytes:
    events = ",".join(EVENT % (number, place) for place in range(wanted.events))
    body = f"[{events}]"
    lines = (
        f"POST {wanted.path} HTTP/1.1",
        "Host: gateway",
        f"Authorization: Bearer {wanted.key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


async def offered(wanted: Wanted) -> Found:
    """Offer from another process."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.offering"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        printed, _ = await child.communicate(json.dumps(wanted).encode())
    finally:
        if child.returncode is None:
            child.kill()
    if child.returncode:
        raise RuntimeError(f"the sender ended with {child.returncode}")
    said: list[Any] = json.loads(printed)
    return Found(*said)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Offering(Wanted(*json.load(sys.stdin))).run())))
