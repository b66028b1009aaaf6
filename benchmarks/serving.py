"""HTTP: a metrics answer against a bare FastAPI route that reads one Redis key, and against one of
which nobody counts how often it was asked for; a paced status."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from redis.asyncio import Redis

from benchmarks.servers import AUDIT, Servers, events, filled_topic, rss_mb
from deploy.jobs.keys import create_key
from deploy.local.process import Child, free_port, spawn

SECONDS = 5.0
CONNECTIONS = 16
COUNTED = 10_000
"""A tenant's reads per second: counted as always, and never refused."""
PACED_RATE, PACED_CONNECTIONS = 200, 8
BARE = """
import sys, uvicorn
from fastapi import FastAPI, Response
from redis.asyncio import Redis
app, client = FastAPI(), Redis.from_url(sys.argv[2])
@app.get("/bare")
async def bare() -> Response:
    return Response(await client.get("bare"), media_type="application/json")
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""


async def serving(target: Servers) -> dict[str, Any]:
    """Requests per second of both, in turn."""
    prefix = f"h{uuid4().hex[:6]}."
    await filled_topic(target, prefix, events(2_000))
    key = await create_key(
        target.postgres_dsn, tenant="acme", role="viewer", name="bench", audit=AUDIT
    )
    port, bare_port = free_port(), free_port()
    metrics = target.service("metrics", prefix)
    gateway = _gateway(target, prefix, port, reads_per_s=COUNTED)
    free_of_count = free_port()
    uncounted = _gateway(target, prefix, free_of_count, reads_per_s=0)
    argv: list[str | Path] = [sys.executable, "-c", BARE, str(bare_port), target.redis_url]
    bare = spawn("bare", argv, target.folder / "bare.log")
    try:
        headers = {"Authorization": f"Bearer {key.key}"}
        url = f"http://127.0.0.1:{port}/ai/metrics/model-1"
        content = await _answer(url, headers)
        await _answer(url.replace(str(port), str(free_of_count)), headers)
        async with Redis.from_url(target.redis_url) as client:
            await client.set("bare", content)
        await _answer(f"http://127.0.0.1:{bare_port}/bare", {})
        metrics.stop()
        rates: dict[str, list[float]] = {"bare": [], "gateway": [], "uncounted": []}
        for _ in range(3):
            rates["bare"].append(await _load(bare_port, "/bare", {}))
            rates["gateway"].append(await _load(port, "/ai/metrics/model-1", headers))
            rates["uncounted"].append(await _load(free_of_count, "/ai/metrics/model-1", headers))
        return {
            "bare_route": rates["bare"],
            "get_metrics": rates["gateway"],
            "get_metrics_uncounted": rates["uncounted"],
            "gateway_rss_mb": rss_mb(gateway),
            **await _paced(port, "/ai/models/model-1/status", headers),
        }
    finally:
        _stop(metrics, gateway, uncounted, bare)


def _gateway(target: Servers, prefix: str, port: int, *, reads_per_s: int) -> Child:
    settings = {"ASSAY_GATEWAY_READS_PER_S": str(reads_per_s), "ASSAY_GATEWAY_PORT": str(port)}
    return target.service("gateway", prefix, **settings)


async def _answer(url: str, headers: dict[str, str]) -> bytes:
    give_up_at = time.perf_counter() + 60
    async with httpx2.AsyncClient(headers=headers, timeout=5) as client:
        while True:
            try:
                answer = await client.get(url)
                if answer.is_success:
                    return bytes(answer.content)
            except httpx2.TransportError:
                pass
            if time.perf_counter() > give_up_at:
                raise TimeoutError(url)
            await asyncio.sleep(0.1)


async def _load(port: int, path: str, headers: dict[str, str]) -> float:
    """Keep-alive requests over a few raw connections; answers per second."""
    request = _request(path, headers)
    done, stop_at = 0, time.perf_counter() + SECONDS

    async def client() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < stop_at:
            await _exchange(reader, writer, request)
            done += 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return done / SECONDS


async def _paced(port: int, path: str, headers: dict[str, str]) -> dict[str, float]:
    """Milliseconds from when a request was due to its answer, at a steady rate."""
    request, took = _request(path, headers), list[float]()
    started, gap = time.perf_counter(), PACED_CONNECTIONS / PACED_RATE

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        due = started + number / PACED_RATE
        while due < started + SECONDS:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await _exchange(reader, writer, request)
            took.append((time.perf_counter() - due) * 1000)
            due += gap
        writer.close()

    await asyncio.gather(*(client(number) for number in range(PACED_CONNECTIONS)))
    took.sort()
    return {
        "status_read_p50_ms": round(took[len(took) // 2], 2),
        "status_read_p99_ms": round(took[int(0.99 * (len(took) - 1))], 2),
    }


def _request(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: x", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
    await reader.readexactly(int(length))


def _stop(*children: Child) -> None:
    for child in children:
        child.stop(timeout_s=10)
