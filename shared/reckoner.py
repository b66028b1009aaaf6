"""Asks a process of its own for statistics that need heavy libraries; it ends when nobody asks.

The libraries take some 150 MB and two seconds to load, which a service that answers requests should
not carry all the time.
"""

import asyncio
import contextlib
import sys

from shared.tasks import end

ENDS_AFTER_S = 120.0
ANSWERS_WITHIN_S = 30.0
MOST_LINE_BYTES = 32 * 1024 * 1024


class ReckoningError(Exception):
    """The process did not answer."""


class Reckoner:
    """One question at a time."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._ending: asyncio.Task[None] | None = None

    async def ask(self, question: str) -> bytes:
        """One line of JSON for another; raises `ReckoningError`."""
        async with self._turn:
            await self._stay()
            try:
                async with asyncio.timeout(ANSWERS_WITHIN_S):
                    return await self._ask(question)
            except (TimeoutError, OSError) as error:
                raise ReckoningError("it took too long") from error
            finally:
                self._ending = asyncio.ensure_future(self._end_when_idle())

    async def close(self) -> None:
        """End the process."""
        await self._stay()
        self._kill()

    async def _ask(self, question: str) -> bytes:
        process = await self._running()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        done = False
        try:
            process.stdin.write(question.encode() + b"\n")
            await process.stdin.drain()
            answer = await process.stdout.readline()
            done = bool(answer)
        finally:
            if not done:
                self._kill()  # whatever it would still say belongs to no question
        if not done:
            raise ReckoningError("it ended")
        return answer

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "shared.reckoning"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=MOST_LINE_BYTES,
            )
        return self._process

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(ENDS_AFTER_S)
        self._kill()

    async def _stay(self) -> None:
        if self._ending is not None:
            await end([self._ending])
            self._ending = None

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process = None
