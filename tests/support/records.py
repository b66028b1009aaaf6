"""Records as a consumer hands them over."""

from types import SimpleNamespace
from typing import Any

from shared.codec import Record


def record(value: bytes | None, headers: Any = (), **changes: Any) -> Record:
    """The first of a topic's first partition, with no time of the broker's own."""
    fields = {"topic": "t", "partition": 0, "offset": 0, "key": None, "timestamp": 0}
    return SimpleNamespace(  # type: ignore[return-value]
        **fields | {"timestamp_type": 0, "value": value, "headers": headers} | changes
    )
