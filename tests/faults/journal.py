"""What was meant to be sent and what Kafka acknowledged, on disk before anything else happens."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

Identity = tuple[str, str, int]
"""Tenant, event id, microseconds since 1970."""


class Intent(NamedTuple):
    """One record that is about to be sent."""

    number: int
    topic: str
    identity: Identity | None
    """`None` for what is no event."""
    reason: str | None
    """Why it must become a dead letter; `None` for what must be stored."""
    facts: dict[str, Any]
    """What of it will be summed."""


class Ack(NamedTuple):
    """Where Kafka keeps it; the gateway's 202 does not say where."""

    number: int
    partition: int | None = None
    offset: int | None = None


class Journal:
    """An append-only file; what is written is on disk when a call returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.others: list[Path] = []
        """Journals of other processes that belong to it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a")

    def intend(self, intents: Iterable[Intent]) -> None:
        """Before sending."""
        self._write(["intent", *one] for one in intents)

    def acknowledged(self, acks: Iterable[Ack]) -> None:
        """After the broker's answer."""
        self._write(["ack", *one] for one in acks)

    def read(self) -> tuple[list[Intent], dict[int, Ack]]:
        """All of it, as the files have it."""
        intents: list[Intent] = []
        acks: dict[int, Ack] = {}
        for path in (self.path, *self.others):
            with path.open() as lines:
                for line in lines:
                    kind, *rest = json.loads(line)
                    if kind == "ack":
                        acks[rest[0]] = Ack(*rest)
                    else:
                        number, topic, identity, reason, facts = rest
                        named = tuple(identity) if identity else None
                        intents.append(Intent(number, topic, named, reason, facts))
        return intents, acks

    def _write(self, lines: Iterable[list[Any]]) -> None:
        self._file.writelines(json.dumps(line) + "\n" for line in lines)
        self._file.flush()
        os.fsync(self._file.fileno())
