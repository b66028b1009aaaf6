"""The sender's hold on its transport."""

import contextlib
from collections.abc import Callable, Sequence

from assay_sdk.events import Encoded
from assay_sdk.transports import Sent, Transport


class Link:
    """A transport; one that could not be made is made when it is next needed."""

    def __init__(self, make: Callable[[], Transport]) -> None:
        self._make = make
        self._transport: Transport | None = None

    def made(self) -> Transport:
        """The transport."""
        if self._transport is None:
            self._transport = self._make()
        return self._transport

    async def send(self, events: Sequence[Encoded]) -> Sent:
        """As the transport does, or whatever it raises where it cannot be made."""
        try:
            return await self.made().send(events)
        except (SystemExit, KeyboardInterrupt) as error:  # these would end the loop
            raise RuntimeError(repr(error)) from error

    async def close(self) -> None:
        """Let the transport go."""
        if self._transport is not None:
            with contextlib.suppress(Exception):  # all is settled: nothing is lost by it
                await self._transport.close()
