"""Facts as probes gather them; judgements know nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Why(StrEnum):
    """Why a server could not be looked at."""

    UNSET = "unset"
    AWAY = "away"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Unseen:
    """A server that could not be looked at."""

    why: Why
    what: str


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """The environment."""

    wrong: tuple[str, ...] = ()
    unknown: Mapping[str, str | None] = field(default_factory=dict)
    """Variables that nobody reads, each with the name that was probably meant."""
    no_audit_key: str | None = None
    """Why the audit log cannot be told of what a command does."""


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """One topic as the broker describes it."""

    error: str | None = None
    """`absent`, `forbidden`, or the broker's own name of what is wrong."""
    partitions: int = 0
    leaderless: int = 0
    behind: int = 0
    """Partitions of which a replica lags."""
    allowed: frozenset[str] | None = None
    """What our principal may do; `None` where the broker does not say."""
    settings: Mapping[str, str] | None = None
    """`None` where our principal may not see them."""


@dataclass(frozen=True, slots=True)
class KafkaFacts:
    """A Kafka that let us in."""

    where: str
    brokers: int = 1
    unreachable: tuple[str, ...] = ()
    """Addresses that brokers name for themselves, at which nobody answers us."""
    fetch_version: int | None = None
    topics: Mapping[str, TopicFacts] = field(default_factory=dict)
    refused: str | None = None
    """Why reading as the program's group was refused."""


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """A server's clock beside ours: how far ahead it is, and how exactly that is known."""

    ahead_s: float
    within_s: float


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role of Postgres."""

    can_login: bool = True
    escapes_row_security: bool = False


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """The file system of a folder."""

    folder: str
    free_bytes: int
    total_bytes: int
    free_files: int | None = None
    """`None` where the file system does not count them."""
    writable: bool = True


@dataclass(frozen=True, slots=True)
class SchemaFacts:
    """Which migrations ran, and which there are."""

    found: str | None
    known: tuple[str, ...]
    """From the first to the newest."""
    readable: bool = True


@dataclass(frozen=True, slots=True)
class PostgresFacts:
    """A Postgres that let us in."""

    user: str
    version: str
    version_number: int
    schema: SchemaFacts
    clock: ClockFacts
    roles: Mapping[str, RoleFacts] = field(default_factory=dict)
    lacking: tuple[str, ...] | None = None
    """Rights that migrations gave and that are gone; `None`: not asked on another schema."""
    newest_partitions: Mapping[str, str | None] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    connections: int = 0
    read_only: bool = False
    disk: DiskFacts | None = None


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """One server of Redis, or one primary of a cluster, that let us in."""

    where: str
    info: Mapping[str, str]
    clock: ClockFacts
    refused: str | None = None
    """Why a script with a write of its own was refused."""


@dataclass(frozen=True, slots=True)
class PortFacts:
    """The gateway's address."""

    address: str
    free: bool
    waits_for: tuple[str, ...] | None = None
    """What our gateway there waits for; `None`: it is not our gateway that answers."""
    program: str | None = None
    """Who listens there, if the operating system says it."""
    expected: bool = False
    """Whether somebody said that our gateway is there (ASSAY_GATEWAY_URL)."""
