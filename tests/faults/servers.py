"""Kafka, Postgres and Redis to be hurt, and a bad network between them and each service."""

import shutil
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from redis import Redis

from deploy.local.kafka_jars import KafkaJars
from deploy.local.process import free_port
from tests.support.stores import PostgresHere, RedisHere
from tests.support.toxiproxy import Toxiproxy, toxiproxy_binary

SERVICES = ("ingest", "metrics", "gateway")
LINKS = {
    "ingest": ("kafka", "postgres"),
    "metrics": ("kafka", "postgres", "redis"),
    "gateway": ("kafka", "postgres", "redis"),
}


class Servers:
    """One of each, on ports that stay theirs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.binary = toxiproxy_binary()
        self._ports = {
            (service, server): free_port() for service, ones in LINKS.items() for server in ones
        }
        proxies = [self._ports[service, "kafka"] for service in SERVICES] if self.binary else []
        self.kafka = KafkaJars(folder / "kafka", proxies=proxies)
        self.postgres = PostgresHere(folder)
        self.redis = RedisHere(folder)
        self.toxiproxy: Toxiproxy | None = None
        self.cluster = False

    def start(self) -> None:
        """Start all of them."""
        for server in (self.kafka, self.postgres, self.redis):
            server.start()
        if self.binary is not None:
            self.toxiproxy = Toxiproxy(self.binary, self.folder / "toxiproxy.log")
            behind = dict(zip(SERVICES, self.kafka.behind, strict=True))
            upstream = {"postgres": _port(self.postgres.dsn), "redis": _port(self.redis.url)}
            for (service, server), port in self._ports.items():
                there = behind[service] if server == "kafka" else upstream[server]
                self.toxiproxy.add(f"{service}-{server}", port, there)

    def stop(self) -> None:
        """Stop all of them, and remove Postgres' data."""
        if self.toxiproxy is not None:
            self.toxiproxy.stop()
        self.kafka.stop()
        self.redis.stop()
        self.postgres.discard()
        shutil.rmtree(self.folder / "kafka" / "data", ignore_errors=True)

    def mend(self) -> None:
        """Whatever was done to them: all are there again, and every link is good."""
        if self.toxiproxy is not None:
            self.toxiproxy.heal()
        for server in (self.kafka, self.postgres, self.redis):
            if server.child is None or not server.child.alive:
                server.start()
        with Redis.from_url(self.redis.url) as client:
            client.config_set("maxmemory", 0)

    def env(self, service: str, dsn: str) -> dict[str, str]:
        """How a service reaches them: by its own links where there is a proxy."""
        found = {
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap,
            "ASSAY_POSTGRES_DSN": dsn,
            "ASSAY_REDIS_URL": self.redis.url,
        }
        if self.binary is not None:
            found["ASSAY_KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{self._ports[service, 'kafka']}"
            found["ASSAY_POSTGRES_DSN"] = _with_port(dsn, self._ports[service, "postgres"])
            if "redis" in LINKS[service]:
                found["ASSAY_REDIS_URL"] = _with_port(self.redis.url, self._ports[service, "redis"])
        return found


def _port(url: str) -> int:
    return int(urlsplit(url).port or 0)


def _with_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    credentials, _, host = parts.netloc.rpartition("@")
    place = f"{host.rpartition(':')[0]}:{port}"
    return urlunsplit(parts._replace(netloc=f"{credentials}@{place}" if credentials else place))
