"""What every format does: bytes before the records, of each portion, and after them."""

from collections.abc import Sequence
from typing import Protocol

from shared.training.row import Record


class Encoder(Protocol):
    """One file being written. The bytes do not depend on how records are cut into portions."""

    def head(self) -> bytes: ...
    def body(self, records: Sequence[Record]) -> bytes: ...
    def tail(self) -> bytes: ...
