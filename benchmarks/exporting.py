"""Training data as JSON lines through the gateway, beside a bare COPY of the same columns."""

import asyncio
import os
import socket
import time
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2

from benchmarks.servers import AUDIT, Servers, rss_mb
from deploy.jobs.keys import create_key
from deploy.local.process import Child, free_port
from shared.training.stored import COLUMNS

ROWS = 1_000_000
ROUNDS = 3
EXPORT = "/ai/training-data/export"
MB = 1_000_000
BUFFER = 1 << 20
SAMPLE_S = 0.2
DEADLINE_S = 300
FILL = """
    INSERT INTO model_training_data
        (tenant_id, row_id, operation_id, kind, state, occurred_at, model_id, model_version,
         agent_id, environment, operation_type, prompt_version, input, output, input_hash, quality,
         weight, reasons, terms, consent, split, formula_version, weighed_at, lineage, has_pii,
         content_hash)
    SELECT 'acme', gen_random_uuid(), 'op-' || n, 'answer', 'ready',
           '2026-11-01 00:00+00'::timestamptz + n * interval '137 ms', 'model-' || n % 5, '3',
           'planner', 'production', 'chat', 'p-7',
           'Which plan fits a team of ' || n % 90 || ' people who share ' || n % 40 || ' folders?',
           'For a team of that size the plan "Team" fits best: it has room for all folders, and '
           || 'each member can be added or taken out at any time.' || E'\n'
           || 'It costs ' || n % 50 || ' EUR a month.',
           decode(md5((n % 3600)::text), 'hex'), (n % 1000) / 1000.0, (n % 700) / 1000.0,
           ARRAY['3 of 4 users found it helpful', 'the operation succeeded'], '[]',
           CASE n % 3 WHEN 0 THEN true END, 'train', '1',
           '2026-11-20 12:00+00', jsonb_build_object('votes', jsonb_build_array(n, n + 1)), false,
           ''
      FROM generate_series(1, $1) AS n
"""
BARE = f"SELECT {COLUMNS} FROM model_training_data AS r WHERE r.state = 'ready'"


async def exporting(target: Servers) -> dict[str, Any]:
    """Megabytes and rows a second of both, in turn, and what the gateway's memory grows by."""
    await filled(target.postgres_dsn)
    key = await create_key(
        target.postgres_dsn, tenant="acme", role="analyst", name="bench", audit=AUDIT
    )
    port = free_port()
    gateway = target.service("gateway", f"e{uuid4().hex[:6]}.", ASSAY_GATEWAY_PORT=str(port))
    try:
        await _warm(port, key.key)
        before = rss_mb(gateway)
        sampling = asyncio.ensure_future(_peak_mb(gateway))
        exported, copied = [], []
        for _ in range(ROUNDS):
            exported.append(await asyncio.to_thread(_taken, port, key.key))
            copied.append(await bare_copy(target.postgres_dsn))
        sampling.cancel()
        (peak,) = await asyncio.gather(sampling)
    finally:
        gateway.stop(timeout_s=10)
    size, seconds = sorted(exported)[ROUNDS // 2]
    copy_size, copy_seconds = sorted(copied)[ROUNDS // 2]
    return {
        "export_copy_mb_s": round(copy_size / copy_seconds / MB, 1),
        "export_copy_rows_s": round(ROWS / copy_seconds),
        "export_mb_s": round(size / seconds / MB, 1),
        "export_rows_s": round(ROWS / seconds),
        "export_rss_growth_mb": round(peak - before, 1),
    }


async def filled(dsn: str) -> None:
    """The rows, as they lie some time after they were made."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(FILL.replace("$1", str(ROWS)))
    await connection.execute("VACUUM ANALYZE model_training_data")
    await connection.close()


async def bare_copy(dsn: str) -> tuple[int, float]:
    """Bytes and seconds of nothing but COPY to nowhere."""
    connection = await asyncpg.connect(dsn)
    size = 0

    async def count(data: bytes) -> None:
        nonlocal size
        size += len(data)

    await connection.copy_from_query(BARE, output=count)  # how much it is
    started = time.perf_counter()
    await connection.copy_from_query(BARE, output=os.devnull)
    seconds = time.perf_counter() - started
    await connection.close()
    return size, seconds


async def _warm(port: int, key: str) -> None:
    give_up_at = time.perf_counter() + 60
    headers = {"Authorization": f"Bearer {key}"}
    url = f"http://127.0.0.1:{port}{EXPORT}?to=2026-11-01T00:10:00Z"
    async with httpx2.AsyncClient(headers=headers, timeout=30) as client:
        while time.perf_counter() < give_up_at:
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise TimeoutError(url)


def _taken(port: int, key: str) -> tuple[int, float]:
    """Bytes and seconds of the whole file, thrown away as it comes."""
    lines = [f"GET {EXPORT} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}"]
    request = "\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n"
    buffer, size, last = bytearray(BUFFER), 0, b""
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as connection:
        connection.sendall(request.encode())
        while count := connection.recv_into(buffer):
            if not size and not buffer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(buffer[:count].decode())
            size += count
            last = (last + bytes(buffer[max(0, count - 8) : count]))[-8:]
    if not last.endswith(b"0\r\n\r\n"):
        raise RuntimeError("the export was broken off")
    return size, time.perf_counter() - started


async def _peak_mb(child: Child) -> float:
    """The most memory, until cancelled."""
    peak = 0.0
    try:
        while True:
            peak = max(peak, rss_mb(child))
            await asyncio.sleep(SAMPLE_S)
    except asyncio.CancelledError:
        return peak
