"""What an export has done so far: counts, bytes and their hash."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol


class Hash(Protocol):
    """What is used of one of hashlib's."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(slots=True)
class Report:
    """Counts of a running export; complete once its last chunk was taken."""

    rows: int = 0  # read
    records: int = 0  # written
    skipped: Counter[str] = field(
        default_factory=Counter
    )  # rows by reason; `pairs_full` counts pairs
    redacted: Counter[str] = field(
        default_factory=Counter
    )  # places by kind, in rows that were used or compared
    size_bytes: int = 0
    _hash: Hash = field(default_factory=sha256)

    @property
    def sha256(self) -> str:
        """Hash of all bytes so far, in hexadecimal digits."""
        return self._hash.hexdigest()

    def add(self, chunk: bytes) -> None:
        """Count bytes that go out."""
        self.size_bytes += len(chunk)
        self._hash.update(chunk)
