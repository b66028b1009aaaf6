"""HTTP intake: batches of a hundred, and single events beside a bare FastAPI route.

The bare route waits for one acknowledgement of Kafka, as ours does; it reads, checks and prices
nothing. They take turns on one machine with the broker and the client.
"""

import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.gateways import ready, unmetered
from benchmarks.offering import EVENTS, Wanted, offered
from benchmarks.servers import Servers
from deploy.local.process import free_port, spawn

SECONDS, ROUNDS = 5.0, 3
FEW, MANY = 8, 16
"""Connections that send batches, and single events."""
BARE = """
import sys, uvicorn
from contextlib import asynccontextmanager
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response
@asynccontextmanager
async def life(app):
    async with AIOKafkaProducer(bootstrap_servers=sys.argv[2], acks="all") as producer:
        app.state.producer = producer
        yield
app = FastAPI(lifespan=life)
@app.get("/readyz")
async def ready() -> Response:
    return Response()
@app.post("/bare")
async def bare(request: Request) -> Response:
    await app.state.producer.send_and_wait(sys.argv[3], await request.body())
    return Response(status_code=202)
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""


async def posting(target: Servers) -> dict[str, Any]:
    """Events and requests per second that were acknowledged, some times over."""
    prefix = f"o{uuid4().hex[:6]}."
    gateway, port, key = await unmetered(target, prefix)
    bare_port = free_port()
    argv: list[str | Path] = [sys.executable, "-c", BARE, str(bare_port), target.bootstrap]
    bare = spawn("bare", [*argv, f"{prefix}feedback.v1"], target.folder / "bare-post.log")
    results: dict[str, Any] = {"post_batches": [], "post_single": [], "bare_post": []}
    try:
        await ready(bare, bare_port)
        first = 0
        for turn in range(ROUNDS + 1):  # the first finds connections and caches cold
            for name, at, path, connections, events in (
                ("post_batches", port, "/ai/operations/log", FEW, EVENTS),
                ("post_single", port, "/ai/operations/log", MANY, 1),
                ("bare_post", bare_port, "/bare", MANY, 1),
            ):
                wanted = Wanted(at, key, SECONDS, connections, first, 0.0, events, path)
                found = await offered(wanted)
                if found.other or found.shed:
                    raise RuntimeError(f"{name}: {found.shed} shed, {found.other}")
                first += found.sent
                if turn:
                    results[name].append(len(found.acknowledged) * events / SECONDS)
    finally:
        gateway.stop(timeout_s=20)
        bare.stop(timeout_s=10)
    return results
