"""Spans of one kind over OTLP/HTTP to us, to MLflow and to Arize Phoenix, until all can be queried.

Each as it is installed and started by default: MLflow and Phoenix store in SQLite, we in Kafka and
Postgres. A few connections send requests of a hundred spans each, as exporters do in batches.
"""

import asyncio
import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.gateways import unmetered
from benchmarks.installing import installed
from benchmarks.servers import Servers
from deploy.local.process import Child, free_port, spawn

OURS, THEIRS = 30_000, 2_000
"""Spans: enough for some seconds each."""
OF_A_REQUEST, OF_A_TRACE, CONNECTIONS = 100, 5, 4
TRIES = 5
"""As exporters try: a store that is locked for a moment says 500 or 503."""
ROUNDS = 3
STARTS_WITHIN_S, ENDS_WITHIN_S = 180.0, 300.0
PACKAGES = {"mlflow": "mlflow==3.17.0", "phoenix": "arize-phoenix==20.26.1"}
ATTRIBUTES: dict[str, str | int] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.usage.input_tokens": 512,
    "gen_ai.usage.output_tokens": 128,
    "gen_ai.agent.id": "agent-support-1",
    "gen_ai.conversation.id": "session-00000001",
    "user.id": "user-000001",
}
Count = Callable[[], Awaitable[int]]


class Intake(NamedTuple):
    """Who takes spans in."""

    url: str
    headers: dict[str, str]
    stored: Count
    """How many can be queried."""


async def tracing(target: Servers) -> dict[str, Any]:
    """Spans per second of each."""
    results: dict[str, Any] = {"otlp": [], "otlp_mlflow": [], "otlp_phoenix": []}
    children: list[Child] = []
    try:
        ours = await _assay(target, children)
        results["otlp"] = [await _rate(ours, OURS) for _ in range(ROUNDS)]
        _stop(children)
        for name, start in (("mlflow", _mlflow), ("phoenix", _phoenix)):
            python = await installed(target.folder, name, [PACKAGES[name]])
            theirs = start(python, target.folder, children)
            results[f"otlp_{name}"] = [await _rate(theirs, THEIRS) for _ in range(ROUNDS)]
            _stop(children)
    finally:
        _stop(children)
    fastest = max(results["otlp_mlflow"], results["otlp_phoenix"], key=median)
    return {**results, "otlp_fastest_peer": fastest}


async def _rate(intake: Intake, spans: int) -> float:
    """Spans per second from the first request until all can be queried."""
    bodies = asyncio.Queue[bytes]()
    for _ in range(spans // OF_A_REQUEST):
        bodies.put_nowait(_request())
    headers = {"content-type": "application/x-protobuf", **intake.headers}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as client:
        await _takes(client, intake.url)
        before = await _settled(intake.stored)
        began = time.perf_counter()

        async def send() -> None:
            while not bodies.empty():
                await _posted(client, intake.url, bodies.get_nowait())

        await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
        async with asyncio.timeout(ENDS_WITHIN_S):
            while await intake.stored() < before + spans:
                await asyncio.sleep(0.02)
        return spans / (time.perf_counter() - began)


async def _posted(client: httpx2.AsyncClient, url: str, body: bytes) -> None:
    for _ in range(TRIES):
        answer = await client.post(url, content=body)
        if answer.is_success:
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{url}: {answer.status_code} {answer.text[:200]}")


async def _takes(client: httpx2.AsyncClient, url: str) -> None:
    """Wait until a request is taken."""
    async with asyncio.timeout(STARTS_WITHIN_S):
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if (await client.post(url, content=_request())).is_success:
                    return
            await asyncio.sleep(0.2)


async def _settled(stored: Count) -> int:
    """What is stored once nothing more comes."""
    before = -1
    async with asyncio.timeout(STARTS_WITHIN_S):
        while (now := await stored()) != before or not now:
            before = now
            await asyncio.sleep(1)
    return now


def _request() -> bytes:
    """A hundred spans of a model's calls, five to a trace."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    ended = time.time_ns()
    for number in range(OF_A_REQUEST):
        if number % OF_A_TRACE == 0:
            trace_id = uuid4().bytes
        spans.append(
            Span(
                trace_id=trace_id,
                span_id=os.urandom(8),
                name="chat gpt-4o-mini",
                kind=Span.SPAN_KIND_CLIENT,
                start_time_unix_nano=ended - 412_000_000,
                end_time_unix_nano=ended,
                attributes=[KeyValue(key=k, value=_value(v)) for k, v in ATTRIBUTES.items()],
            )
        )
    return request.SerializeToString()


def _value(value: str | int) -> AnyValue:
    return AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value)


async def _assay(target: Servers, children: list[Child]) -> Intake:
    prefix = f"t{uuid4().hex[:6]}."
    gateway, port, key = await unmetered(target, prefix)
    children += [gateway, target.service("ingest", prefix)]

    async def stored() -> int:
        # Rows and position are of one transaction, and every span here is a row.
        return await target.ingest_position(prefix)

    headers = {"Authorization": f"Bearer {key}"}
    return Intake(f"http://127.0.0.1:{port}/v1/traces", headers, stored)


def _mlflow(python: Path, folder: Path, children: list[Child]) -> Intake:
    port, database = free_port(), folder / "mlflow.db"
    argv: list[str | Path] = [
        python,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    argv += ["--backend-store-uri", f"sqlite:///{database}"]
    argv += ["--artifacts-destination", str(folder / "mlartifacts")]
    children.append(spawn("mlflow", argv, folder / "mlflow.log", env=_environment(folder)))
    url = f"http://127.0.0.1:{port}/v1/traces"
    return Intake(url, {"x-mlflow-experiment-id": "0"}, _spans_in(database))


def _phoenix(python: Path, folder: Path, children: list[Child]) -> Intake:
    port = free_port()
    env = {
        **_environment(folder),
        "PHOENIX_WORKING_DIR": str(folder / "phoenix"),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    argv: list[str | Path] = [python.with_name("phoenix"), "serve"]
    children.append(spawn("phoenix", argv, folder / "phoenix.log", env=env))
    database = folder / "phoenix" / "phoenix.db"
    return Intake(f"http://127.0.0.1:{port}/v1/traces", {}, _spans_in(database))


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "MLFLOW_DISABLE_TELEMETRY": "true"}


def _spans_in(database: Path) -> Count:
    async def stored() -> int:
        if not database.exists():
            return 0
        reader = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            return int(reader.execute("SELECT count(*) FROM spans").fetchone()[0])
        except sqlite3.OperationalError:  # busy, or no table yet
            return 0
        finally:
            reader.close()

    return stored


def _stop(children: list[Child]) -> None:
    while children:
        child = children.pop()
        child.stop(timeout_s=20)
        with contextlib.suppress(ProcessLookupError):  # what MLflow's own children left
            os.killpg(child.pid, signal.SIGKILL)
