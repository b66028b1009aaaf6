"""The whole system on this machine: servers, schema, topics, keys, services."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.jobs.fences import reset_fences
from deploy.jobs.keys import create_key
from deploy.jobs.roles import ROLE_OF, give_passwords
from deploy.jobs.topics import create_topics
from deploy.local.process import StartError, free_port
from deploy.local.stack import Addresses, LocalStack, Part
from deploy.local.state import DataDir
from deploy.migrations import migrate
from deploy.supervisor import OnRestart, Supervisor
from shared.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX

SERVICES = ("ingest", "metrics", "notify", "abtest", "feedback", "gateway")
DEFAULT_TENANT = "default"
GATEWAY_PORT = 8080
MOST_PORT = 65_535

OnStep = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Running:
    """How to reach a running system; everything a second shell needs."""

    gateway_url: str
    addresses: Addresses
    admin_key: str
    tenant: str
    topic_prefix: str
    idempotence: bool

    def variables(self) -> dict[str, str]:
        """As environment variables."""
        return {
            "ASSAY_GATEWAY_URL": self.gateway_url,
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": self.addresses.kafka_bootstrap_servers,
            "ASSAY_KAFKA_IDEMPOTENCE": str(self.idempotence).lower(),
            "ASSAY_KAFKA_DURABLE": str(not self.addresses.own_broker).lower(),
            "ASSAY_POSTGRES_DSN": self.addresses.postgres_dsn,
            "ASSAY_REDIS_URL": self.addresses.redis_url,
            "ASSAY_ADMIN_KEY": self.admin_key,
            "ASSAY_TENANT": self.tenant,
            "ASSAY_TOPIC_PREFIX": self.topic_prefix,
        }


def default_data_dir() -> Path:
    """Where state lies unless told otherwise; root's home is closed to Postgres' user."""
    named = os.environ.get("ASSAY_DATA_DIR")
    if named:
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/assay/default")
    home = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return home / "assay"


def gateway_port(on_step: OnStep) -> int:
    """Where the gateway will listen: where it was told to, else at 8080 or a free port."""
    named = os.environ.get("ASSAY_GATEWAY_PORT")
    if not named:
        port = free_port(GATEWAY_PORT)
        if port != GATEWAY_PORT:
            on_step("port", f"{GATEWAY_PORT} is taken, so the gateway will listen on {port}")
        return port
    if not (named.isascii() and named.isdecimal() and int(named) <= MOST_PORT):
        raise StartError(
            f"ASSAY_GATEWAY_PORT is {named!r}, which is no port; name one from 1 to {MOST_PORT}, "
            "or leave it unset for 8080 or a free one"
        )
    port = free_port(int(named))
    if port != int(named) != 0:
        raise StartError(
            f"ASSAY_GATEWAY_PORT is {named}, where nobody may listen or another program does; end "
            "that one, name another port, or leave it unset for 8080 or a free one"
        )
    return port


class System:
    """Started once, stopped once."""

    def __init__(self, data_dir: Path, on_step: OnStep, on_restart: OnRestart) -> None:
        self._data_dir = DataDir(data_dir)
        self._on_step = on_step
        self._stack = LocalStack(self._data_dir, self._part)
        self.supervisor = Supervisor(self._data_dir, on_restart)
        self._watch: asyncio.Task[None] | None = None

    async def start(self, tenant: str = DEFAULT_TENANT) -> Running:
        """Start everything; returns when a request would be answered."""
        ended = self._data_dir.open()
        if ended:
            self._on_step("recovered", f"ended {len(ended)} processes that a killed run left")
        port = gateway_port(self._on_step)
        addresses = await self._stack.start()
        prefix = os.environ.get("ASSAY_TOPIC_PREFIX", DEFAULT_PREFIX)
        partitions = int(os.environ.get("ASSAY_TOPIC_PARTITIONS", DEFAULT_PARTITIONS))
        before, after = await migrate(addresses.postgres_dsn)
        if before != after:
            self._on_step("schema", f"migrated to {after}")
        if addresses.own_broker:
            await reset_fences(addresses.postgres_dsn, addresses.redis_url, prefix)
        await create_topics(addresses.kafka_bootstrap_servers, prefix, partitions)
        admin_key = await self._admin_key(addresses.postgres_dsn, tenant)
        url = await self._services(addresses, prefix, partitions, port)
        self._watch = asyncio.ensure_future(self.supervisor.watch())
        return Running(url, addresses, admin_key, tenant, prefix, not addresses.own_broker)

    async def stop(self) -> None:
        """Stop everything that was started, in order; no process stays."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await asyncio.to_thread(self.supervisor.stop)
        await asyncio.to_thread(self._stack.stop)
        self._data_dir.close()

    async def _services(self, addresses: Addresses, prefix: str, partitions: int, port: int) -> str:
        passwords = {name: self._data_dir.secret(role) for name, role in ROLE_OF.items()}
        dsns = await give_passwords(addresses.postgres_dsn, passwords)
        common = {
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": addresses.kafka_bootstrap_servers,
            "ASSAY_KAFKA_IDEMPOTENCE": str(not addresses.own_broker).lower(),
            "ASSAY_KAFKA_EXACT_ENDS": str(not addresses.own_broker).lower(),
            "ASSAY_KAFKA_DURABLE": str(not addresses.own_broker).lower(),
            "ASSAY_REDIS_URL": addresses.redis_url,
            "ASSAY_TOPIC_PREFIX": prefix,
            "ASSAY_TOPIC_PARTITIONS": str(partitions),
            "ASSAY_SECRET_KEY": os.environ.get("ASSAY_SECRET_KEY")
            or self._data_dir.secret("installation"),
            "ASSAY_DOCS_DIR": str(Path(__file__).parent.parent / "docs"),
        }
        for name in SERVICES:
            env = common | {"ASSAY_POSTGRES_DSN": dsns[name]}
            if name == "gateway":
                self.supervisor.add(name, env, port, "ASSAY_GATEWAY_PORT")
            else:
                self.supervisor.add(name, env, free_port(), "ASSAY_TELEMETRY_PORT")
        await self.supervisor.ready(self._on_step)
        return f"http://127.0.0.1:{port}"

    async def _admin_key(self, dsn: str, tenant: str) -> str:
        """The tenant's admin key: the same in every run on this folder, if it still exists."""
        known = self._data_dir.read().get("admin_keys", {})
        name = f"{tenant}@{dsn.rpartition('@')[2]}"
        with contextlib.suppress(KeyError):
            return str(known[name])
        made = await create_key(dsn, tenant=tenant, role="admin", name="local admin")
        self._data_dir.write(admin_keys=known | {name: made.key})
        return made.key

    def _part(self, part: Part) -> None:
        self._on_step(
            part.name, f"{part.version} at {part.address}" + ("" if part.ours else " (yours)")
        )
