"""Assay with a fault that no crash point reaches: `python -m tests.faults.saboteur WHAT SERVICE`.

It works as usual until it gets SIGUSR1.
"""

import asyncio
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer

from shared import clock, runtime

HUNG = 3
SHIFT = timedelta(hours=float(os.environ.get("SABOTEUR_CLOCK_HOURS", "0")))


def stray_cancel() -> None:
    """Somebody cancels the consume loop, and everything claims to run on."""
    original = runtime.Process.consume

    async def consume(self: Any, broker: Any, subscriber: Any, *rest: Any) -> None:
        def cancel() -> None:
            for task in subscriber.tasks:
                task.cancel()

        _when_told(cancel)
        await original(self, broker, subscriber, *rest)

    runtime.Process.consume = consume  # type: ignore[method-assign]


def dead_loop() -> None:
    """The event loop never comes back."""
    original = runtime.Process.consume

    async def consume(self: Any, *rest: Any) -> None:
        _when_told(lambda: time.sleep(3_600))
        await original(self, *rest)

    runtime.Process.consume = consume  # type: ignore[method-assign]


def hung_producer() -> None:
    """The next few sends never end."""
    left = 0
    original = AIOKafkaProducer.send

    async def send(self: Any, *what: Any, **more: Any) -> Any:
        nonlocal left
        if left:
            left -= 1
            await asyncio.Event().wait()
        return await original(self, *what, **more)

    def begin() -> None:
        nonlocal left
        left = HUNG

    AIOKafkaProducer.send = send
    signal.signal(signal.SIGUSR1, lambda *_: begin())


def wrong_clock() -> None:
    """Its clock is wrong by SABOTEUR_CLOCK_HOURS, from the start."""
    original = clock.utc_now

    def utc_now() -> datetime:
        return original() + SHIFT

    clock.utc_now = utc_now


def _when_told(what: Callable[[], None]) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, what)


WAYS = {way.__name__: way for way in (stray_cancel, dead_loop, hung_producer, wrong_clock)}


def main() -> None:
    """Run a service that can be sabotaged."""
    what, service = sys.argv[1:]
    WAYS[what]()
    importlib.import_module(f"services.{service}.__main__").main()


if __name__ == "__main__":
    main()
