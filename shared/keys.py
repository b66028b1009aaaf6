"""Redis keys and fields: one writer (metrics), readable by all.

All keys of one Kafka partition share a hash tag, so one script can touch them together, also in a
cluster. Views are keyed by tenant and model and are written one by one.
"""

from zlib import crc32

from shared.measures.cells import Series

SEPARATOR = "\x1f"
MINUTE_CELLS = "m"
HOUR_CELLS = "h"
WINDOWS = {"5m": 300, "15m": 900, "1h": 3600, "24h": 86_400, "7d": 604_800}
DEFAULT_WINDOW = "1h"


def tag(topic: str, partition: int) -> str:
    """The hash tag that all keys of one partition share."""
    return f"{{{topic}.{partition}}}"


def fence(topic: str, partition: int) -> str:
    """Hash: epoch, next, gen, base, and since base: accepted, duplicates, invalid, gaps."""
    return f"{tag(topic, partition)}:fence"


def generations(topic: str, partition: int) -> str:
    """String: the highest generation that anybody began to build."""
    return f"{tag(topic, partition)}:generations"


def seen(topic: str, partition: int, generation: int, bucket: int) -> str:
    """Set of 12-byte digests of identities, one set per time bucket."""
    return f"{tag(topic, partition)}:g{generation}:seen:{bucket}"


def cell(topic: str, partition: int, generation: int, member: str) -> str:
    """Hash of a tenant's minute or hour; `member` as `cell_member` makes it."""
    return f"{tag(topic, partition)}:g{generation}:{member}"


def touched(topic: str, partition: int, generation: int) -> str:
    """Sorted set: cell member -> next_offset of the batch that changed it last."""
    return f"{tag(topic, partition)}:g{generation}:touched"


def waiting(topic: str, partition: int, generation: int) -> str:
    """Hash: feedback that names no model and waits for its operation."""
    return f"{tag(topic, partition)}:g{generation}:waiting"


def alerts(topic: str, partition: int) -> str:
    """Hash: alerts of the models whose share this operations partition is."""
    return f"{tag(topic, partition)}:alerts"


def untold(topic: str, partition: int) -> str:
    """Stream: steps of alerts that are not on their topic yet."""
    return f"{tag(topic, partition)}:untold"


def ended(topic: str, partition: int) -> str:
    """Sorted set: ids of alerts that have ended -> when, Unix seconds."""
    return f"{tag(topic, partition)}:ended"


def statuses(topic: str, partition: int) -> str:
    """Hash: health of the models whose share this operations partition is."""
    return f"{tag(topic, partition)}:statuses"


def unwritten(topic: str, partition: int) -> str:
    """Stream: changes of health that Postgres does not have yet."""
    return f"{tag(topic, partition)}:unwritten"


def cell_member(resolution: str, tenant_id: str, start: int) -> str:
    """Name of one cell hash: `m` or `h`, tenant, start in seconds since 1970."""
    return f"{resolution}:{tenant_id}:{start}"


def split_member(member: str) -> tuple[str, str, int]:
    """Resolution, tenant and start of a cell member."""
    resolution, tenant_id, start = member.split(":")
    return resolution, tenant_id, int(start)


def field(series: Series, measure: str) -> str:
    """Field of a cell hash: the series' four parts, then the measure's name."""
    return SEPARATOR.join([*map(escaped, series), measure])


def split_field(name: str) -> tuple[Series, str]:
    """Series and measure of a cell's field."""
    *parts, measure = name.split(SEPARATOR, 4)
    return Series(*map(unescaped, parts)), measure


def view(tenant_id: str, model_id: str) -> str:
    """Hash of ready answers: `<window>` and `<window>:series`; see shared/views.py."""
    return f"view:{tenant_id}:{model_id}"


def models(tenant_id: str) -> str:
    """Hash: model_id -> JSON of its line in GET /ai/models."""
    return f"models:{tenant_id}"


def share_of(tenant_id: str, model_id: str, partitions: int) -> int:
    """Whoever consumes this partition of the operations topic keeps the model's views."""
    return crc32(f"{tenant_id}{SEPARATOR}{model_id}".encode()) % partitions


REPORTS = "reports"  # hash: <service>:<instance> -> JSON of its last report; see shared/reports.py
LOOKED = "views:looked"  # hash: share -> when its views were last brought up to date, Unix ms
ALERT_RULES = "alert-rules"  # string: last known rules, for when Postgres is away
HEALTH_LIMITS = "health-limits"  # string: last known limits, for when Postgres is away
STATUS_FIELD = "status"  # of a model's view
TENANTS = "tenants"  # set: last known tenants, for when Postgres is away


def escaped(part: str) -> str:
    """A part that can be joined to others by the separator."""
    if SEPARATOR in part or "\\" in part:
        return part.replace("\\", "\\\\").replace(SEPARATOR, "\\s")
    return part


def unescaped(part: str) -> str:
    """The part as it was before it was joined."""
    if "\\" not in part:
        return part
    return "\\".join(piece.replace("\\s", SEPARATOR) for piece in part.split("\\\\"))
