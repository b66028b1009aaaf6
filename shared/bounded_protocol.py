"""HTTP/1.1 for strangers: who sends slowly, reads slowly or opens too many connections is cut off.

uvicorn bounds neither the time that a request's head takes nor the number of connections; of what
it does bound, this changes nothing.
"""

import asyncio
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WITHIN_S = 10.0
"""From a connection's or a request's first byte to the end of its headers."""
TAKEN_WITHIN_S = 60.0
"""From an answer's last byte being written to its having been read."""
MOST_HEAD_BYTES = 16 * 1024
"""Unless the server is told otherwise."""
FREE_PIECES, LEAST_PIECE_BYTES = 1_000, 64
"""Of a body that comes in chunks: beyond so many, they have so many bytes on average."""
UNANSWERED = (h11.IDLE, h11.SEND_RESPONSE)


class Pieces(h11.Connection):
    """Refuses bodies in tiny chunks: each costs as much as a large one."""

    _pieces = _bytes = 0

    def next_event(self) -> Any:
        """As h11 has it; bodies are counted, also what comes after their answer."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = self._bytes = 0
        elif isinstance(event, h11.Data):
            self._pieces += event.chunk_start
            self._bytes += len(event.data)
            if self._pieces > FREE_PIECES + self._bytes // LEAST_PIECE_BYTES:
                raise h11.RemoteProtocolError("a body in tiny chunks")
        return event


class BoundedProtocol(H11Protocol):
    """One connection. `most_connections` are open at once; more are closed unheard."""

    most_connections = 2_000
    _cut_off: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def __init__(self, config: uvicorn.Config, *others: Any, **more: Any) -> None:
        super().__init__(config, *others, **more)
        most_head = config.h11_max_incomplete_event_size or MOST_HEAD_BYTES
        self.conn = Pieces(h11.SERVER, most_head)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request, not for ever."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            transport.abort()
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer with the connection."""
        self._forget()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for what was written of an answer to be read, not for ever: the rest may be endless.

        Also of one that was broken off: closing waits for its reader.
        """
        super().pause_writing()
        self._unread = self.loop.call_later(TAKEN_WITHIN_S, self._give_up_reader)

    def resume_writing(self) -> None:
        """It was read."""
        self._is_read()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Read on; the time for a head begins with its first byte and no later one renews it."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._expect_head()
        else:
            self._forget()

    def on_response_complete(self) -> None:
        """Wait for an answer to be read, if that was not done at once."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(TAKEN_WITHIN_S, self._give_up_reader)

    def send_400_response(self, msg: str) -> None:
        """Say that this was no HTTP, unless there is an answer already: then only the line ends."""
        if self.conn.our_state in UNANSWERED:
            super().send_400_response(msg)
        else:
            self.transport.abort()

    def _expect_head(self) -> None:
        if self._cut_off is None:
            self._cut_off = self.loop.call_later(HEAD_WITHIN_S, self.transport.abort)

    def _forget(self) -> None:
        if self._cut_off is not None:
            self._cut_off.cancel()
            self._cut_off = None

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up_reader(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()


def bounded(most_connections: int) -> type[BoundedProtocol]:
    """The protocol with its bound, as uvicorn takes it: a class."""
    members: dict[str, Any] = {"most_connections": most_connections}
    return type("BoundedProtocol", (BoundedProtocol,), members)
