"""How an export ends over a real connection: whole, given up, or visibly broken off."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.integration.gateway.callers import Alone, Served
from tests.integration.gateway.trained import forget_training
from tests.support.waiting import eventually

EXPORT = "/ai/training-data/export"
ROWS = 30_000
UNDER_WAY = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND usename <> current_user AND xact_start IS NOT NULL
       AND query LIKE '%model_training_data%'
"""


@pytest.fixture(autouse=True)
async def filled(alone: Alone) -> AsyncIterator[None]:
    """More than any buffer on the way holds."""
    await forget_training(alone.rows)
    await alone.rows(
        """
        INSERT INTO model_training_data
            (tenant_id, row_id, operation_id, kind, state, occurred_at, model_id, environment,
             operation_type, input, output, quality, weight, reasons, terms, split,
             formula_version, weighed_at, lineage, has_pii, content_hash)
        SELECT 'acme', gen_random_uuid(), 'op-' || n, 'answer', 'ready',
               '2026-11-20 12:00+00'::timestamptz + n * interval '1 s', 'm', 'production', 'chat',
               repeat('What? ', 300), 'That.', 0.75, 0.5, '{}', '[]', 'train', '1', now(), '{}',
               false, ''
          FROM generate_series(1, $1) AS n
        """,
        ROWS,
    )
    yield
    await forget_training(alone.rows)


async def under_way(alone: Alone) -> list[int]:
    return [row["pid"] for row in await alone.rows(UNDER_WAY)]


async def begun(alone: Alone, served: Served) -> asyncio.StreamWriter:
    """An export that waits for its reader, which took only the beginning."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1_024)
    lines = [f"GET {EXPORT} HTTP/1.1", "Host: x", f"Authorization: Bearer {served.key}"]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    await eventually(lambda: under_way(alone), why="rows are being read")
    return writer


async def test_all_rows_come(served: Served) -> None:
    answer = await served.admin.get(EXPORT)
    assert answer.text.count("\n") == ROWS


async def test_when_a_reader_leaves_nothing_goes_on(alone: Alone, served: Served) -> None:
    writer = await begun(alone, served)
    writer.transport.abort()

    async def over() -> bool:
        return not await under_way(alone)

    await eventually(over, why="the transaction has ended")
    assert (await served.admin.get(EXPORT)).status_code == 200


async def test_one_more_than_there_may_be_is_sent_away(alone: Alone, served: Served) -> None:
    writer = await begun(alone, served)
    answer = await served.admin.get(EXPORT)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/overloaded")
    assert int(answer.headers["retry-after"]) > 0
    assert (await served.admin.get("/ai/training-data")).status_code == 200
    writer.transport.abort()

    async def free() -> Any:
        return (await served.admin.get(EXPORT)).status_code == 200

    await eventually(free, why="there is a turn again")


async def test_what_breaks_in_the_middle_never_looks_whole(alone: Alone, served: Served) -> None:
    async def read_on() -> None:
        async with served.admin.stream("GET", EXPORT) as answer:
            assert answer.status_code == 200
            chunks = answer.aiter_bytes(1_024)
            await anext(chunks)
            await alone.rows(f"SELECT pg_terminate_backend(pid) FROM ({UNDER_WAY}) AS held")
            async for _ in chunks:
                pass

    with pytest.raises(httpx2.RemoteProtocolError):
        await read_on()


async def test_a_broken_off_file_would_look_whole_to_http_1_0(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"GET {EXPORT} HTTP/1.0\r\nAuthorization: Bearer {served.key}\r\n\r\n".encode())
    assert b" 400 " in await reader.readline()
    writer.close()
