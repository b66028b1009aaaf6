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
from deploy.names import SERVICES
from deploy.supervisor import OnRestart, Supervisor
from shared.audit.keys import keys_of
from shared.audit.recorder import Recorder
from shared.env_settings import secret_of
from shared.proof import Proofs, master_keys
from shared.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX

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
    audit_key_file: str
    master_key_file: str | None = None
    """Holds what proves tenants, when only proven records are taken."""
    proof_key: str | None = None
    """By which this tenant's events are signed then."""

    def variables(self) -> dict[str, str]:
        """As environment variables."""
        return self._trust() | {
            "ASSAY_GATEWAY_URL": self.gateway_url,
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": self.addresses.kafka_bootstrap_servers,
            "ASSAY_KAFKA_IDEMPOTENCE": str(self.idempotence).lower(),
            "ASSAY_KAFKA_DURABLE": str(not self.addresses.own_broker).lower(),
            "ASSAY_POSTGRES_DSN": self.addresses.postgres_dsn,
            "ASSAY_REDIS_URL": self.addresses.redis_url,
            "ASSAY_ADMIN_KEY": self.admin_key,
            "ASSAY_TENANT": self.tenant,
            "ASSAY_TOPIC_PREFIX": self.topic_prefix,
            "ASSAY_AUDIT_KEY_FILE": self.audit_key_file,
        }

    def _trust(self) -> dict[str, str]:
        if not (self.master_key_file and self.proof_key):
            return {}
        return {
            "ASSAY_EVENT_TRUST": "signed",
            # These are printed: what proves every tenant is not.
            "ASSAY_EVENT_MASTER_KEY_FILE": self.master_key_file,
            "ASSAY_TENANT_PROOF_KEY": self.proof_key,
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
    wanted = port_named(named)
    port = free_port(wanted)
    if port != wanted != 0:
        raise StartError(
            f"ASSAY_GATEWAY_PORT is {named}, where nobody may listen or another program does; end "
            "that one, name another port, or leave it unset for 8080 or a free one"
        )
    return port


def port_named(named: str) -> int:
    """The number that ASSAY_GATEWAY_PORT names; 0 stands for any. Raises `StartError`."""
    if not (named.isascii() and named.isdecimal() and int(named) <= MOST_PORT):
        raise StartError(
            f"ASSAY_GATEWAY_PORT is {named!r}, which is no port; name one from 1 to {MOST_PORT}, "
            "or leave it unset for 8080 or a free one"
        )
    return int(named)


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
        audit = Recorder(keys_of(self._audit_key(), None))
        key_file = self._data_dir.secret_file("audit.key", self._audit_key())
        if addresses.own_broker:
            await reset_fences(addresses.postgres_dsn, addresses.redis_url, prefix, audit)
        await create_topics(addresses.kafka, prefix, partitions)
        admin_key = await self._admin_key(addresses.postgres_dsn, tenant, audit)
        common = self._common(addresses, prefix, partitions)
        url = await self._services(addresses, common, port, audit)
        self._watch = asyncio.ensure_future(self.supervisor.watch())
        return Running(
            *(url, addresses, admin_key, tenant, prefix, not addresses.own_broker, str(key_file)),
            *self._proofs_for(tenant),
        )

    async def stop(self) -> None:
        """Stop everything that was started, in order; no process stays."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await asyncio.to_thread(self.supervisor.stop)
        await asyncio.to_thread(self._stack.stop)
        self._data_dir.close()

    def _common(self, addresses: Addresses, prefix: str, partitions: int) -> dict[str, str]:
        common = {
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": addresses.kafka_bootstrap_servers,
            "ASSAY_KAFKA_IDEMPOTENCE": str(not addresses.own_broker).lower(),
            "ASSAY_KAFKA_EXACT_ENDS": str(not addresses.own_broker).lower(),
            "ASSAY_KAFKA_DURABLE": str(not addresses.own_broker).lower(),
            "ASSAY_REDIS_URL": addresses.redis_url,
            "ASSAY_TOPIC_PREFIX": prefix,
            "ASSAY_TOPIC_PARTITIONS": str(partitions),
            "ASSAY_SECRET_KEY": secret_of("ASSAY_SECRET_KEY")
            or self._data_dir.secret("installation"),
            "ASSAY_DOCS_DIR": str(Path(__file__).parent.parent / "docs"),
            "ASSAY_AUDIT_KEY": self._audit_key(),
            "ASSAY_AUDIT_ANCHOR_FILE": os.environ.get("ASSAY_AUDIT_ANCHOR_FILE")
            or str(self._data_dir.path / "audit-anchors.jsonl"),
        }
        master_key = self._master_key()
        if master_key:
            common["ASSAY_EVENT_MASTER_KEY"] = master_key
        return common

    async def _services(
        self, addresses: Addresses, common: dict[str, str], port: int, audit: Recorder
    ) -> str:
        passwords = {name: self._data_dir.secret(role) for name, role in ROLE_OF.items()}
        dsns = await give_passwords(addresses.postgres_dsn, passwords, audit)
        for name in SERVICES:
            env = common | {"ASSAY_POSTGRES_DSN": dsns[name]}
            if name == "gateway":
                self.supervisor.add(name, env, port, "ASSAY_GATEWAY_PORT")
            else:
                self.supervisor.add(name, env, free_port(), "ASSAY_TELEMETRY_PORT")
        await self.supervisor.ready(self._on_step)
        return f"http://127.0.0.1:{port}"

    def _master_key(self) -> str | None:
        """What proves tenants: the one that is set, else of this folder if proofs are wanted."""
        if os.environ.get("ASSAY_EVENT_TRUST") != "signed":
            return None
        return secret_of("ASSAY_EVENT_MASTER_KEY") or self._data_dir.secret("event-master")

    def _proofs_for(self, tenant: str) -> tuple[str, str] | tuple[None, None]:
        """The file of the master key, and the tenant's key; nothing where none is asked for."""
        master = self._master_key()
        if master is None:
            return None, None
        named = os.environ.get("ASSAY_EVENT_MASTER_KEY_FILE")
        file = Path(named) if named else self._data_dir.secret_file("event-master.key", master)
        return str(file.absolute()), Proofs(master_keys(master)).tenant_key(tenant)

    async def _admin_key(self, dsn: str, tenant: str, audit: Recorder) -> str:
        """The tenant's admin key: the same in every run on this folder, if it still exists."""
        known = self._data_dir.read().get("admin_keys", {})
        name = f"{tenant}@{dsn.rpartition('@')[2]}"
        with contextlib.suppress(KeyError):
            return str(known[name])
        made = await create_key(dsn, tenant=tenant, role="admin", name="local admin", audit=audit)
        self._data_dir.write(admin_keys=known | {name: made.key})
        return made.key

    def _audit_key(self) -> str:
        return secret_of("ASSAY_AUDIT_KEY") or self._data_dir.secret("audit")

    def _part(self, part: Part) -> None:
        self._on_step(
            part.name, f"{part.version} at {part.address}" + ("" if part.ours else " (yours)")
        )
