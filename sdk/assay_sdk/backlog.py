"""Batches that are ready to be sent, oldest first."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from assay_sdk.events import Encoded, Given


class Ready(NamedTuple):
    """An event, and the bytes that are sent of it."""

    given: Given
    encoded: Encoded


class Backlog(Protocol):
    """Where batches wait. Used by the sender's thread only, but for `kept`."""

    kept: int
    """Events that outlive this process."""
    is_left: bool
    """Whoever goes on sending needs another."""

    def has_room(self) -> bool:
        """Whether another batch may come."""

    def add(self, events: Sequence[Ready]) -> None:
        """Take a batch."""

    def first(self) -> Sequence[Ready] | None:
        """The oldest batch, or `None`; it stays until it is `done`."""

    def done(self) -> None:
        """The oldest batch is settled."""

    def leave(self) -> Sequence[Ready]:
        """Nobody goes on sending: give out what is not kept."""


class Memory:
    """One batch at a time: the rest waits in the buffer, which is bounded."""

    kept = 0
    is_left = False

    def __init__(self) -> None:
        self._batch: Sequence[Ready] | None = None

    def has_room(self) -> bool:
        """Whether there is none."""
        return self._batch is None

    def add(self, events: Sequence[Ready]) -> None:
        """Take it."""
        self._batch = events

    def first(self) -> Sequence[Ready] | None:
        """It."""
        return self._batch

    def done(self) -> None:
        """Let it go."""
        self._batch = None

    def leave(self) -> Sequence[Ready]:
        """Nothing is kept."""
        batch, self._batch = self._batch, None
        return batch or ()
