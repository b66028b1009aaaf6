"""How a consuming service runs: waits for what is away, works, and stops losing nothing."""

import asyncio
import contextlib
import ctypes
import gc
import os
import random
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import structlog
import uvicorn
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber
from starlette.applications import Starlette

from shared import clock
from shared.delivery.runner import Runner
from shared.delivery.watchdog import Watchdog
from shared.settings import SharedSettings
from shared.telemetry import telemetry_app

T = TypeVar("T")
Job = Callable[[], Coroutine[Any, Any, None]]

FIRST_WAIT_S = 0.2
MOST_WAIT_S = 5.0
STOP_TIMEOUT_S = 25.0
START_TIMEOUT_S = 20.0
STEADY_S = 60.0

log = structlog.get_logger()


async def wait_for(what: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Repeat a start-up step until it works, with jittered back-off, saying what it waits for."""
    wait_s = FIRST_WAIT_S
    while True:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                return await attempt()
        except Exception as error:
            log.warning("waiting", what=what, why=repr(error)[:300], wait_s=round(wait_s, 1))
        await asyncio.sleep(wait_s * random.uniform(0.5, 1))  # noqa: S311 - jitter
        wait_s = min(wait_s * 2, MOST_WAIT_S)


async def keep_running(job: Job) -> None:
    """Run a background job for ever; one that raises is started again, after a while."""
    wait_s = FIRST_WAIT_S
    while True:
        started = clock.monotonic()
        try:
            await job()
        except Exception as error:
            log.warning("job_retry", job=job.__qualname__, why=repr(error)[:300], wait_s=wait_s)
        if clock.monotonic() - started > STEADY_S:
            wait_s = FIRST_WAIT_S
        await asyncio.sleep(wait_s * random.uniform(0.5, 1))  # noqa: S311 - jitter
        wait_s = min(wait_s * 2, MOST_WAIT_S)


async def run_consumers(
    settings: SharedSettings,
    broker: KafkaBroker,
    subscriber: BatchSubscriber,
    runner: Runner,
    jobs: Sequence[Job] = (),
    probe: Callable[[], Awaitable[Mapping[str, str]]] | None = None,
) -> None:
    """Consume until SIGTERM or SIGINT; what is in flight is finished first."""
    stopping = stop_signal()
    calm_collector()

    joined = asyncio.Event()

    async def readiness() -> Mapping[str, str]:
        # The consumer exists before it has joined its group, which takes seconds.
        if not joined.is_set():
            return {"kafka": "joining the group"}
        return {**_kafka_state(subscriber, runner), **(await probe() if probe else {})}

    async with contextlib.AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(_background())
        tasks(serve(telemetry_app(readiness), settings.telemetry_port))
        started = asyncio.ensure_future(
            wait_for(f"Kafka at {settings.kafka_bootstrap_servers}", lambda: _start(broker))
        )
        await _first(stopping.wait(), started)
        if stopping.is_set():
            return
        joined.set()
        for job in (runner.watch, Watchdog(runner, lambda: _loop_lives(subscriber)).run, *jobs):
            tasks(keep_running(job))
        log.info("running", topics=subscriber.topic_names, group=runner.group)
        await stopping.wait()
        log.info("stopping")
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await broker.stop()


def calm_collector() -> None:
    """Let the cyclic collector look less often: a batch makes thousands of objects and no cycles.

    With the default threshold (700) it walks the events of a batch again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    _give_memory_back()


def _give_memory_back() -> None:
    """Imports leave some 15 MB that were freed and are still ours; only glibc has this call."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    return stopping


async def serve(app: Starlette, port: int, host: str = "127.0.0.1") -> None:
    """Serve a small app in this loop, leaving signals to us."""
    host = os.environ.get("ASSAY_TELEMETRY_HOST", host)
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, lifespan="off"
    )
    await _Server(config).serve()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _start(broker: KafkaBroker) -> None:
    try:
        await broker.start()
    except BaseException:
        await broker.stop()
        raise


def _loop_lives(subscriber: BatchSubscriber) -> bool:
    return bool(subscriber.tasks) and not all(task.done() for task in subscriber.tasks)


def _kafka_state(subscriber: BatchSubscriber, runner: Runner) -> Mapping[str, str]:
    if subscriber.consumer is None:
        return {"kafka": "not connected"}
    if runner.incidents:
        return {"incident": "; ".join(runner.incidents.values())}
    if runner.waits_for_store_since is not None:
        return {"store": f"away for {clock.monotonic() - runner.waits_for_store_since:.0f} s"}
    return {}


async def _first(*waits: Awaitable[Any]) -> None:
    futures = [asyncio.ensure_future(one) for one in waits]
    _, pending = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    for one in pending:
        one.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


@contextlib.asynccontextmanager
async def _background() -> Any:
    running: set[asyncio.Task[None]] = set()

    def start(work: Coroutine[Any, Any, None]) -> None:
        running.add(asyncio.ensure_future(work))

    try:
        yield start
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
