"""Events as lines of a file, which may have been torn off anywhere."""

import json
import time
from pathlib import Path
from typing import Any

from assay_sdk.backlog import Ready
from assay_sdk.events import Encoded, Given


def name_of(number: int, count: int) -> str:
    """A file's name: when, which, and how many events; so that nobody must read it to know."""
    return f"{time.time_ns():020d}-{number:08d}-{count}.jsonl"


def count_in(path: Path) -> int:
    """How many events were meant to be in a file."""
    count = path.stem.rpartition("-")[2]
    return int(count) if count.isdecimal() else 0


def line_of(encoded: Encoded) -> bytes:
    """One event; the very bytes of its value are in it."""
    headers = [(name, value.decode()) for name, value in encoded.headers]
    said = [encoded.kind, encoded.key.decode(), encoded.value.decode(), headers]
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def read_lines(path: Path) -> list[Ready]:
    """What is whole of a file, in its order; `OSError` where the file cannot be read now."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]  # what no line end follows is half an event
    except FileNotFoundError:
        return []
    return [event for line in lines if (event := _event(line)) is not None]


def _event(line: bytes) -> Ready | None:
    try:
        kind, key, value, headers = json.loads(line)
        fields: dict[str, Any] = json.loads(value)
        encoded = Encoded(
            str(kind),
            key.encode(),
            value.encode(),
            [(str(name), text.encode()) for name, text in headers],
        )
    except (ValueError, TypeError, AttributeError):
        return None
    return Ready(Given(encoded.kind, 0, fields), encoded)
