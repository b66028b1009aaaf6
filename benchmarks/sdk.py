"""What the client costs the agent's own thread, with the broker there and with it away."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer

from assay_sdk import Assay
from assay_sdk.events import Encoded
from assay_sdk.transports import Sent
from benchmarks.servers import PARTITIONS, Servers
from deploy.jobs.topics import create_topics
from deploy.local.kafka_jars import KafkaJars
from shared.kafka_settings import plain

EVENTS = 20_000
EVENTS_PER_S = 200
THERE_S, AWAY_S = 30, 60
MOST_BUFFER = 10_000
"""The client's default: an outage of a minute at this rate is more than it holds."""
IMPORTS = 7
IMPORT_TIME = """
import asyncio, time; began = time.process_time(); import assay_sdk
print((time.process_time() - began) * 1000)
"""


class Nowhere:
    """A transport that takes everything at once."""

    async def send(self, events: Sequence[Encoded]) -> Sent:
        """Take it."""
        return Sent(len(events), 0)

    async def close(self) -> None:
        """Nothing to let go."""


class Agent:
    """Records operations at a steady rate, and the time that each takes from its thread."""

    def __init__(self, assay: Assay) -> None:
        self.assay = assay
        self.given = self.raised = 0

    def work(self, seconds: float) -> list[float]:
        """Microseconds by the clock that each operation took of the caller's thread."""
        took = []
        began = time.perf_counter()
        for number in range(int(seconds * EVENTS_PER_S)):
            time.sleep(max(0.0, began + number / EVENTS_PER_S - time.perf_counter()))
            took.append(_timed(self.record, number))
        return took

    def record(self, number: int) -> None:
        """Record an operation; whatever it raises is the client's fault."""
        self.given += 1
        try:
            with self.assay.operation("gpt-4o-mini", user_id="user-1") as operation:
                operation.set(input_tokens=number, output_tokens=7)
        except Exception:
            self.raised += 1


async def client(target: Servers) -> dict[str, Any]:
    """Microseconds of the caller's time per measured operation, and what an outage costs."""
    kafka = KafkaJars(target.folder / "kafka-sdk")
    await asyncio.to_thread(kafka.start)
    try:
        return {
            "sdk_import_cpu_ms": _import_ms(),
            "sdk_cold_uuid4_us": _cold(),
            **_in_a_row(),
            **await _outage(kafka, target.folder),
        }
    finally:
        kafka.stop()


def _import_ms() -> float:
    """CPU time of the import, in an interpreter that has asyncio already, as agents have."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "sdk")}
    run = [sys.executable, "-c", IMPORT_TIME]
    runs = [subprocess.check_output(run, env=env, text=True) for _ in range(IMPORTS)]
    return round(median(map(float, runs)), 1)


def _in_a_row() -> dict[str, float]:
    """Where one event follows the other without a pause."""
    assay = Assay(Nowhere, tenant_id="acme", max_buffer=EVENTS * 2)
    agent = Agent(assay)
    rounds, took = [], []
    for _ in range(5):
        # The caller's own CPU time: the sender's thread is not its cost.
        started = time.thread_time()
        for number in range(EVENTS):
            agent.record(number)
        rounds.append((time.thread_time() - started) / EVENTS * 1e6)
        assay.flush(30)
        # By the clock: what the caller waits for the sender's thread is its cost too.
        took += [_timed(agent.record, number) for number in range(EVENTS)]
        assay.flush(30)
    assay.close()
    return {"sdk_us_per_event": round(median(rounds), 1), **_percentiles("sdk_row", took)}


def _cold() -> float:
    """What a bare uuid4() takes at the same rate: caches are cold after a pause."""
    took = []
    for _ in range(2_000):
        time.sleep(1 / EVENTS_PER_S)
        took.append(_timed(lambda _: uuid4(), 0))
    return round(median(took), 1)


def _timed(act: Callable[[int], object], number: int) -> float:
    at = time.perf_counter()
    act(number)
    return (time.perf_counter() - at) * 1e6


async def _outage(kafka: KafkaJars, folder: Path) -> dict[str, float]:
    """A broker that is there, stands still for a minute, and goes on; without and with disk."""
    assert kafka.child is not None
    found: dict[str, float] = {}
    for name, disk in (("away", None), ("disk", folder / "sdk-events")):
        prefix = f"bench-sdk-{name}."
        await create_topics(plain(kafka.bootstrap), prefix, PARTITIONS)
        assay = Assay.kafka(
            kafka.bootstrap,
            tenant_id="acme",
            topic_prefix=prefix,
            max_buffer=MOST_BUFFER,
            disk_buffer=disk,
        )
        agent = Agent(assay)
        there = agent.work(THERE_S)
        os.kill(kafka.child.pid, signal.SIGSTOP)
        try:
            away = agent.work(AWAY_S)
        finally:
            os.kill(kafka.child.pid, signal.SIGCONT)
        result = assay.close(60)
        counted = assay.counters.dropped
        if disk is None:
            found |= _percentiles("sdk_there", there)
        missing = agent.given - await _arrived(kafka.bootstrap, prefix)
        found |= {
            **_percentiles(f"sdk_{name}", away),
            f"sdk_{name}_raised": agent.raised,
            f"sdk_{name}_given": agent.given,
            f"sdk_{name}_dropped": counted,
            f"sdk_{name}_unaccounted": missing - counted,
            f"sdk_{name}_untold": counted - result.failed - result.pending,
        }
    return found


def _percentiles(name: str, took: list[float]) -> dict[str, float]:
    cuts = quantiles(took, n=100)
    return {f"{name}_p50_us": round(cuts[49], 1), f"{name}_p99_us": round(cuts[98], 1)}


async def _arrived(bootstrap: str, prefix: str) -> int:
    """Different operations on the topic: what an outage repeats counts once."""
    consumer = AIOKafkaConsumer(
        f"{prefix}operations.v1", bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        keys = set()
        while True:
            batches = await consumer.getmany(timeout_ms=1_000)
            keys.update(record.key for batch in batches.values() for record in batch)
            if [await consumer.position(one) for one in ends] == list(ends.values()):
                return len(keys)
