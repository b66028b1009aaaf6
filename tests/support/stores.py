"""Real Postgres and Redis: named by the environment, in Docker, or programs of this machine."""

import asyncio
import os
import secrets
import shutil
import signal
from pathlib import Path

from deploy.local.postgres import embedded_binaries, start_postgres
from deploy.local.process import Child, StartError, free_port
from deploy.local.redis import find_server, start_redis
from tests.support.kafka import docker_answers

OLDEST_POSTGRES = 15


class PostgresHere:
    """A Postgres of this machine on its own folder and port, restartable."""

    def __init__(self, folder: Path) -> None:
        # A name that no run had before: as root the data lie elsewhere, where those of a run that
        # was killed may still be.
        self._folder = folder / f"postgres-{secrets.token_hex(4)}"
        self._folder.mkdir(mode=0o755)
        self._password = secrets.token_hex(8)
        self._port = free_port()
        self.child: Child | None = None
        self.dsn = f"postgresql://assay:{self._password}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers a query."""
        self.child, _, _ = asyncio.run(
            start_postgres(self._folder, self._port, self._password, postgres_binaries())
        )

    @property
    def data(self) -> Path:
        """Its data folder, wherever an unprivileged user could keep it."""
        return (self._folder / "postgres").resolve()

    def stop(self) -> None:
        """Stop it in order (SIGINT: it waits for no client)."""
        if self.child is not None:
            self.child.stop(signal.SIGINT)

    def discard(self) -> None:
        """Stop it and remove its data, wherever an unprivileged user could keep them."""
        self.stop()
        folder = self._folder / "postgres"
        if folder.is_symlink():
            shutil.rmtree(folder.resolve().parent)

    def kill(self) -> None:
        """kill -9 of the server's parent process; its children notice and end."""
        if self.child is not None:
            self.child.kill()


class RedisHere:
    """A Redis of this machine on its own folder and port, restartable."""

    def __init__(self, folder: Path, **options: str) -> None:
        self._folder = folder
        self._options = options
        self.port = free_port()
        self.child: Child | None = None
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it has loaded its data."""
        self.child, _, _ = asyncio.run(start_redis(self._folder, self.port, self._options))

    def stop(self) -> None:
        """Stop it in order."""
        if self.child is not None:
            self.child.stop()

    def kill(self) -> None:
        """kill -9."""
        if self.child is not None:
            self.child.kill()


def postgres_binaries() -> Path:
    """The system's newest server programs, else those of the embedded package."""
    installed = sorted(
        (
            folder
            for folder in Path("/usr/lib/postgresql").glob("*/bin")
            if (folder / "postgres").exists() and int(folder.parent.name) >= OLDEST_POSTGRES
        ),
        key=lambda folder: int(folder.parent.name),
    )
    return installed[-1] if installed else embedded_binaries()


def postgres_rung() -> str:
    """Which Postgres the tests will use."""
    if os.environ.get("ASSAY_TEST_POSTGRES"):
        return "named by ASSAY_TEST_POSTGRES"
    if docker_answers():
        return "Docker, postgres:18"
    return f"programs in {postgres_binaries()}"


def redis_rung() -> str:
    """Which Redis the tests will use."""
    if os.environ.get("ASSAY_TEST_REDIS"):
        return "named by ASSAY_TEST_REDIS"
    if docker_answers():
        return "Docker, redis:7"
    try:
        return find_server() if shutil.which("redis-server") else f"embedded, {find_server()}"
    except StartError as error:
        return str(error)
