"""The three servers together: started where settings name none, stopped in order."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from deploy.local.broker import describe, start_broker
from deploy.local.postgres import embedded_binaries, start_postgres
from deploy.local.postgres import version as postgres_version
from deploy.local.process import Child, StartError
from deploy.local.redis import start_redis
from deploy.local.redis import version as redis_version
from deploy.local.state import DataDir
from shared.env_settings import secret_of
from shared.kafka_errors import refusals_explained
from shared.kafka_settings import Connection, KafkaSettings, plain
from shared.settings import load


@dataclass(frozen=True, slots=True)
class Part:
    """One server, as people want to see it."""

    name: str
    version: str
    address: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the three servers are."""

    kafka: Connection
    postgres_dsn: str
    redis_url: str
    own_broker: bool
    """True when the in-memory broker was started now: it knows nothing of earlier offsets."""

    @property
    def kafka_bootstrap_servers(self) -> str:
        """Host and port, several separated by commas."""
        servers = self.kafka["bootstrap_servers"]
        return servers if isinstance(servers, str) else ",".join(servers)


OnPart = Callable[[Part], None]


class LocalStack:
    """Kafka, Postgres and Redis of one data folder."""

    def __init__(self, data_dir: DataDir, on_part: OnPart) -> None:
        self._data_dir = data_dir
        self._on_part = on_part
        self._children: list[tuple[Child, signal.Signals]] = []

    async def start(self) -> Addresses:
        """Start what no setting names; each part is told when it can really be used."""
        redis_url = await self._redis()
        postgres_dsn = await self._postgres()
        kafka, own = await self._broker()
        return Addresses(kafka, postgres_dsn, redis_url, own)

    def stop(self) -> None:
        """Stop what was started, the last first."""
        while self._children:
            child, how = self._children.pop()
            child.stop(how)

    def dead(self) -> Child | None:
        """A server that ended by itself, if any."""
        return next((child for child, _ in self._children if not child.alive), None)

    async def _broker(self) -> tuple[Connection, bool]:
        named = os.environ.get("ASSAY_KAFKA_BOOTSTRAP_SERVERS")
        if named:
            connection = load(KafkaSettings).connection
            async with refusals_explained(connection):
                brokers = await _reached("ASSAY_KAFKA_BOOTSTRAP_SERVERS", describe(connection))
            self._on_part(Part("broker", f"Kafka, {brokers} brokers", named, False))
            return connection, False
        if os.environ.get("ASSAY_KAFKA_SECURITY_PROTOCOL", "PLAINTEXT") != "PLAINTEXT":
            raise StartError(
                "ASSAY_KAFKA_SECURITY_PROTOCOL is for a Kafka of yours: set "
                "ASSAY_KAFKA_BOOTSTRAP_SERVERS too; the broker started here speaks no TLS"
            )
        child, port, version = await start_broker(self._data_dir.path, self._port("broker", 9092))
        self._keep(child, signal.SIGTERM, port)
        self._on_part(Part("broker", version, f"127.0.0.1:{port}", True))
        return plain(f"127.0.0.1:{port}"), True

    async def _postgres(self) -> str:
        named = secret_of("ASSAY_POSTGRES_DSN")
        if named:
            version = await _reached("ASSAY_POSTGRES_DSN", postgres_version(named))
            self._on_part(Part("postgres", str(version), named.rpartition("@")[2], False))
            return named
        child, dsn, version = await start_postgres(
            self._data_dir.path,
            self._port("postgres", 5432),
            self._data_dir.secret("postgres"),
            embedded_binaries(),
        )
        address = dsn.rpartition("@")[2]
        # SIGINT is Postgres' fast shutdown: it waits for no client.
        self._keep(child, signal.SIGINT, int(address.split(":")[1].split("/")[0]))
        self._on_part(Part("postgres", version, address, True))
        return dsn

    async def _redis(self) -> str:
        named = secret_of("ASSAY_REDIS_URL")
        if named:
            version = await _reached("ASSAY_REDIS_URL", redis_version(named))
            self._on_part(Part("redis", str(version), named.rpartition("@")[2], False))
            return named
        child, port, version = await start_redis(self._data_dir.path, self._port("redis", 6379))
        self._keep(child, signal.SIGTERM, port)
        self._on_part(Part("redis", version, f"127.0.0.1:{port}", True))
        return f"redis://127.0.0.1:{port}/0"

    def _port(self, name: str, default: int) -> int:
        """The port of the last run, so that a second shell's settings stay right."""
        return int(self._data_dir.read().get("ports", {}).get(name, default))

    def _keep(self, child: Child, how: signal.Signals, port: int) -> None:
        self._children.append((child, how))
        self._data_dir.remember_child(child)
        self._data_dir.write(ports=self._data_dir.read().get("ports", {}) | {child.name: port})


async def _reached(setting: str, attempt: object) -> object:
    try:
        return await attempt  # type: ignore[misc]
    except Exception as error:
        raise StartError(f"{setting} names a server that does not answer: {error!r}") from error
