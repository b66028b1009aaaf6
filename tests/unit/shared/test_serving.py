"""A server in this process ends as a whole, also when nobody asked it politely."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.applications import Starlette

from deploy.local.process import free_port
from shared.runtime import serve_until_told
from tests.support.waiting import eventually


async def test_a_server_that_is_cancelled_tells_its_app_to_end() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        seen.append("begun")
        yield
        await asyncio.sleep(0)
        seen.append("ended")

    app = Starlette(lifespan=lifespan)
    config = uvicorn.Config(app, port=free_port(), log_level="error")
    task = asyncio.ensure_future(serve_until_told(config))
    await eventually(lambda: seen == ["begun"], why="it serves", deadline_s=10)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    with suppress(asyncio.CancelledError):
        await task
    assert seen == ["begun", "ended"]
