"""A guard for aiokafka 0.14: a header key that is no UTF-8 must not stop a partition for ever.

Its decoder raises inside `getmany`, at every attempt, in every consumer group. Here a batch that
cannot be decoded is decoded again, leniently: the key then holds U+FFFD and the codec refuses the
record with `bad_header`. Batches without such keys are still decoded by aiokafka's C code.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


def install_safe_records() -> None:
    """Make every consumer of this process read through the guard; harmless when repeated."""
    fetcher.MemoryRecords = SafeMemoryRecords


class LenientBuffer(bytearray):
    """Bytes whose slices decode to text whatever they hold."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return LenientBuffer(found) if isinstance(index, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        """Decode with U+FFFD for what is no UTF-8."""
        return bytes(self).decode(encoding, "replace")


class LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """A record batch whose header keys need not be UTF-8."""

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = LenientBuffer(self._buffer)


class SafeBatch:
    """A record batch that falls back to lenient decoding, whole, when the fast one fails."""

    def __init__(self, batch: Any, content: memoryview) -> None:
        self._batch = batch
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            records = list(self._batch)
        except (UnicodeDecodeError, CorruptRecordException):
            records = list(LenientBatch(self._content))
        return iter(records)


class SafeMemoryRecords(_MemoryRecordsPy):  # type: ignore[misc]
    """aiokafka's own walk over fetched batches, with every batch guarded."""

    def next_batch(self) -> Any:
        """The next batch, or `None` at the end."""
        content = self._next_slice
        batch = super().next_batch()
        return None if batch is None or content is None else SafeBatch(batch, content)
