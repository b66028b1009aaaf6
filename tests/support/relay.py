"""A way to a store that can be cut and mended, within the test's own loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from shared.tasks import end


class Relay:
    """Forwards connections of a port of its own to another one."""

    def __init__(self, port: int) -> None:
        self.is_cut = False
        self.port = 0
        self._to = port
        self._open: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Break all connections; new ones are broken at once."""
        self.is_cut = True
        for one in self._open:
            one.cancel()

    def heal(self) -> None:
        """Forward new ones again."""
        self.is_cut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            if not self.is_cut:
                there, back = await asyncio.open_connection("127.0.0.1", self._to)
                try:
                    await _either(_pass_on(reader, back), _pass_on(there, writer))
                finally:
                    back.transport.abort()
        except asyncio.CancelledError:
            pass  # cut
        finally:
            writer.transport.abort()
            self._open.discard(task)


@asynccontextmanager
async def relayed(port: int) -> AsyncIterator[Relay]:
    """A relay to a port of this machine."""
    relay = Relay(port)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        relay.cut()


async def _either(*ways: object) -> None:
    tasks = [asyncio.ensure_future(one) for one in ways]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(tasks)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
