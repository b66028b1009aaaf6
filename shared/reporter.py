"""Says how this process does, from its own Prometheus numbers, so that both tell the same."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping

import psutil
from prometheus_client import REGISTRY
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisError

from shared import clock, keys, telemetry
from shared.clock import Clock
from shared.delivery.runner import Runner
from shared.reports import FenceReport, Report

EVERY_S = 5.0
ERRORS = ("dead", "invalid")


class Reporter:
    """Says every few seconds how this process does."""

    def __init__(
        self,
        service: str,
        client: Redis | RedisCluster,
        now: Clock,
        runner: Runner | None = None,
        depth: Callable[[], int] | None = None,
    ) -> None:
        self._service = service
        self._client = client
        self._now = now
        self._runner = runner
        self._depth = depth
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._began = now()
        self._instance = f"{socket.gethostname()}-{os.getpid()}"
        self._before = (clock.monotonic(), 0.0)
        if depth is not None:
            telemetry.QUEUE_DEPTH.labels(service)

    async def run(self) -> None:
        """Say it for ever; while Redis is away nobody hears it, and that is all."""
        while True:
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                await self.report()
            await asyncio.sleep(EVERY_S)

    async def report(self) -> None:
        """Say it once."""
        depth = self._depth() if self._depth else None
        if depth is not None:
            telemetry.QUEUE_DEPTH.labels(self._service).set(depth)
        said = Report(
            service=self._service,
            instance=self._instance,
            at=self._now(),
            started_at=self._began,
            cpu_percent=self._process.cpu_percent(),
            memory_bytes=self._process.memory_info().rss,
            queue_depth=depth,
            **(self._consuming(self._runner) if self._runner else {}),
        )
        field = f"{self._service}:{self._instance}"
        await self._client.hset(keys.REPORTS, field, said.model_dump_json())

    def _consuming(self, runner: Runner) -> Mapping[str, object]:
        group = runner.group
        events = _sum("assay_events_total", group=group)
        at, before = self._before
        self._before = (clock.monotonic(), events)
        seconds = max(self._before[0] - at, 1e-3)
        return {
            "partitions": len(runner.owned()),
            "lag": sum(runner.lag.values()),
            "event_age_s": _sum("assay_event_age_seconds", group=group),
            "events_per_second": round((events - before) / seconds, 1),
            "errors": sum(int(_sum("assay_events_total", group=group, verdict=v)) for v in ERRORS),
            "fenced_writes": int(_sum("assay_fenced_writes_total", group=group)),
            "incidents": {f"{p.topic}/{p.partition}": w for p, w in runner.incidents.items()},
            "last_fence": _fence(runner),
        }


def _fence(runner: Runner) -> FenceReport | None:
    if runner.last is None:
        return None
    partition, fence = runner.last
    return FenceReport(
        topic=partition.topic, partition=partition.partition, next_offset=fence.next_offset
    )


def _sum(name: str, **labels: str) -> float:
    """A number of this process, summed over the labels that are not asked for."""
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        if name.startswith(metric.name)
        for sample in metric.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
