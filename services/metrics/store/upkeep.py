"""Looks after Redis' append-only file."""

from typing import Any

import structlog
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError

from shared.delivery.redis import Client

log = structlog.get_logger()


class AppendOnlyFile:
    """Has every server write its file anew once after each of its starts.

    A server that finds the end of its file cut in the middle of a transaction forgets what is
    there of it, but not the file: what is added later stands behind that piece, and the next start
    takes the piece for a part of it. Then it counts twice. (Seen with Redis 7.0.15, which says
    "MULTI calls can not be nested" while loading.) A file that was written anew has no such piece.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, str] = {}

    async def look(self) -> None:
        """Ask every server whether it has been started since we last looked."""
        for name, run in self._servers():
            found: Any = await run("INFO", "server", "persistence")
            if self._known.get(name) == found["run_id"]:
                continue
            if found["aof_enabled"]:
                await self._write_anew(run, name)
            self._known[name] = found["run_id"]

    def _servers(self) -> list[tuple[str, Any]]:
        if isinstance(self._client, Redis):
            return [("", self._client.execute_command)]
        return [(node.name, _on(self._client, node)) for node in self._client.get_primaries()]

    async def _write_anew(self, run: Any, name: str) -> None:
        try:
            await run("BGREWRITEAOF")
        except ResponseError as error:
            # Forbidden by some who run Redis for others, or under way already.
            log.info("append_only_file_left_alone", server=name, why=str(error)[:200])


def _on(client: RedisCluster, node: Any) -> Any:
    async def run(*command: str) -> Any:
        return await client.execute_command(*command, target_nodes=node)

    return run
