"""F7 and F8: Postgres dies, ends sessions, is away, is locked, is restored to an older state."""

import asyncio
import shutil
from pathlib import Path

import asyncpg

from tests.faults.matrix import fault
from tests.faults.stage import Stage
from tests.support.waiting import eventually

AWAY_FOR_S = 60
LOCKED_FOR_S = 20


@fault("F7a", "Postgres: kill -9", (1, 5, 50), 30)
async def kill(stage: Stage, _: int) -> None:
    """The server dies and recovers from its log."""
    stage.servers.postgres.kill()
    await asyncio.to_thread(stage.servers.postgres.start)


@fault("F7b", "Postgres: a service's session is ended", (1, 20, 200), 30)
async def session(stage: Stage, _: int) -> None:
    """Whatever a service's sessions are doing, they end."""
    connection = await asyncpg.connect(stage.dsn)

    async def ended() -> int:
        return int(
            await connection.fetchval(
                """
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                 WHERE application_name LIKE 'assay-%' AND datname = current_database()
                """
            )
        )

    await eventually(ended, why="there was a session")
    await connection.close()


@fault("F7c", "Postgres: stopped for 60 s", (0, 1, 10), 30)
async def stop(stage: Stage, _: int) -> None:
    """It is away; metrics goes on without it."""
    await stage.claimed()
    await asyncio.to_thread(stage.servers.postgres.stop)
    gone_at = asyncio.get_running_loop().time()
    ends = await stage.auditor.ends()

    async def counted() -> bool:
        live = await stage.auditor.live_positions()
        return all(live[one] >= end for one, end in ends.items())

    await eventually(counted, why="metrics goes on without Postgres", deadline_s=30)
    left_s = AWAY_FOR_S - (asyncio.get_running_loop().time() - gone_at)
    await asyncio.sleep(max(0.0, left_s))  # the fault itself
    await asyncio.to_thread(stage.servers.postgres.start)


@fault("F8a", "Postgres: tables locked for 20 s", (0, 1, 3), 30)
async def lock(stage: Stage, _: int) -> None:
    """Somebody holds the tables, as a careless migration would."""
    connection = await asyncpg.connect(stage.dsn)
    async with connection.transaction():
        await connection.execute(
            "LOCK TABLE ai_model_operations, user_feedback, operation_rollup_minute"
            " IN ACCESS EXCLUSIVE MODE"
        )
        await asyncio.sleep(LOCKED_FOR_S)  # the fault itself
    await connection.close()


@fault("F8b", "Postgres: restored to an older state", (0, 1, 3), 60)
async def restore(stage: Stage, turn: int) -> None:
    """Rows and positions go back together; what came after is read again."""
    server = stage.servers.postgres
    await asyncio.to_thread(server.stop)
    kept = server.data.with_name(f"kept-{turn}")
    shutil.copytree(server.data, kept, symlinks=True)
    _same_owner(server.data, kept)
    await asyncio.to_thread(server.start)
    await stage.caught_up()
    await asyncio.to_thread(server.stop)
    shutil.rmtree(server.data)
    kept.rename(server.data)
    await asyncio.to_thread(server.start)


def _same_owner(original: Path, copy: Path) -> None:
    status = original.stat()
    for path in [copy, *copy.rglob("*")]:
        shutil.chown(path, status.st_uid, status.st_gid)
