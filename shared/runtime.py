"""How a consuming service runs: waits for what is away, works, and stops losing nothing."""

import asyncio
import contextlib
import ctypes
import gc
import os
import random
import signal
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Any, TypeVar

import structlog
import uvicorn
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber
from starlette.applications import Starlette

from shared import clock
from shared.delivery.runner import Runner
from shared.delivery.watchdog import Watchdog
from shared.kafka import log_answers
from shared.kafka_errors import check_rights
from shared.settings import SharedSettings
from shared.store_errors import store_refusal
from shared.tasks import end
from shared.telemetry import Probe, telemetry_app

T = TypeVar("T")
Job = Callable[[], Coroutine[Any, Any, None]]

FIRST_WAIT_S = 0.2
EXIT_WITHIN_S = 30.0
MOST_WAIT_S = 5.0
STOP_TIMEOUT_S = 15.0
START_TIMEOUT_S = 20.0
STEADY_S = 60.0

log = structlog.get_logger()


def probe_of(name: str, ask: Callable[[], Awaitable[object]]) -> Probe:
    """What readiness asks of one dependency: while `ask` raises, it is missing, and by what."""

    async def probe() -> Mapping[str, str]:
        try:
            await ask()
        except Exception as error:
            return {name: type(error).__name__}
        return {}

    return probe


class StoppedError(Exception):
    """Told to stop before there was anything to do."""


class Process:
    """One consuming process, from its first wait to its last batch."""

    def __init__(self, settings: SharedSettings, stopping: asyncio.Event) -> None:
        self._settings = settings
        self._stopping = stopping
        self._waits_for: Mapping[str, str] = {"service": "starting"}
        self._probe: Probe | None = None

    async def readiness(self) -> Mapping[str, str]:
        """What is missing before this process can do its work."""
        return {**self._waits_for, **(await self._probe() if self._probe else {})}

    async def wait_for(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Repeat a start-up step until it works, with jittered back-off, saying what it waits for.

        Raises `StoppedError` when told to stop meanwhile.
        """
        self._waits_for = {what: "away"}
        trying = asyncio.ensure_future(_persistently(what, attempt))
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait([trying, stopped], return_when=asyncio.FIRST_COMPLETED)
            if not trying.done():
                raise StoppedError
            return trying.result()
        finally:
            await end((trying, stopped))

    async def consume(
        self,
        broker: KafkaBroker,
        subscriber: BatchSubscriber,
        runner: Runner,
        jobs: Sequence[Job],
        probe: Probe,
    ) -> None:
        """Consume until told to stop; what is in flight is finished first."""

        async def state() -> Mapping[str, str]:
            return {**_kafka_state(subscriber, runner), **await probe()}

        calm_collector()
        # The consumer exists before it has joined its group, which takes seconds.
        kafka = f"Kafka at {self._settings.kafka_bootstrap_servers}"
        await self.wait_for(kafka, lambda: self._start(broker, subscriber, runner.group))
        self._waits_for, self._probe = {}, state
        async with _background() as start:
            watchdog = Watchdog(
                runner,
                lambda: _loop_lives(subscriber),
                lambda partitions: log_answers(self._settings, partitions),
            )
            for job in (runner.watch, watchdog.run, *jobs):
                start(keep_running(job))
            log.info("running", topics=subscriber.topic_names, group=runner.group)
            await self._stopping.wait()
            log.info("stopping")
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await broker.stop()
            except TimeoutError:
                # aiokafka may wait for a coordinator in vain. The fences need no goodbye: the group
                # notices when our session ends.
                log.warning("stopped_without_goodbye", after_s=STOP_TIMEOUT_S)

    async def _start(self, broker: KafkaBroker, subscriber: BatchSubscriber, group: str) -> None:
        connection = self._settings.connection
        if connection["security_protocol"] != "PLAINTEXT":
            await check_rights(connection, subscriber.topic_names, group)
        await _start(broker)


@contextlib.asynccontextmanager
async def consuming_process(settings: SharedSettings) -> AsyncIterator[Process]:
    """A process that answers /healthz and /readyz from its first moment on."""
    process = Process(settings, stop_signal())
    async with _background() as start:
        start(serve(telemetry_app(process.readiness), settings.telemetry_port))
        with contextlib.suppress(StoppedError):
            yield process


async def _persistently(what: str, attempt: Callable[[], Awaitable[T]]) -> T:
    wait_s = FIRST_WAIT_S
    while True:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                return await attempt()
        except Exception as error:
            why = store_refusal(error) or repr(error)
            log.warning("waiting", what=what, why=why[:300], wait_s=round(wait_s, 1))
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
        *(app, host, port),
        log_level="warning",
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
    )
    await _Server(config).serve()


async def serve_until_told(
    config: uvicorn.Config, stopping: Callable[[], None] = lambda: None
) -> None:
    """Serve until told to stop; requests under way are answered first.

    `stopping` is called before that, for answers that would not end by themselves.

    uvicorn itself would send the signal on to its own process, which then ends as if killed.
    """
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve())
    stopped = asyncio.ensure_future(stop_signal().wait())
    try:
        await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
    finally:  # also when we are cancelled: else what the app has begun would never be told to end
        stopping()
        server.should_exit = True
        stopped.cancel()
        await _ended(serving)
    await serving


async def _ended(serving: asyncio.Future[None]) -> None:
    """Wait for a server that was told to exit, however often somebody cancels us meanwhile."""
    give_up_at = clock.monotonic() + EXIT_WITHIN_S
    while not serving.done() and clock.monotonic() < give_up_at:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([serving], timeout=1.0)
    serving.cancel()


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
    waits = {"store": runner.waits_for_store_since, "kafka": runner.waits_for_log_since}
    return {
        what: f"away for {clock.monotonic() - since:.0f} s"
        for what, since in waits.items()
        if since is not None
    }


@contextlib.asynccontextmanager
async def _background() -> Any:
    running: set[asyncio.Task[None]] = set()

    def start(work: Coroutine[Any, Any, None]) -> None:
        running.add(asyncio.ensure_future(work))

    try:
        yield start
    finally:
        await end(running)
