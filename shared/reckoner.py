"""Asks a process of its own for statistics that need heavy libraries; it ends when nobody asks.

The libraries take some 150 MB and two seconds to load, which a service that answers requests should
not carry all the time.
"""

import asyncio
import contextlib
import sys
from typing import Any

from pydantic_core import from_json

from shared.tasks import end

ENDS_AFTER_S = 120.0
ANSWERS_WITHIN_S = 30.0
MOST_WAITING = 16
MOST_LINE_BYTES = 32 * 1024 * 1024


class ReckoningError(Exception):
    """No answer now; perhaps later."""


class UnanswerableError(Exception):
    """The question cannot be answered, however often it is asked."""


class Reckoner:
    """One question at a time; some may wait, not many and not for long."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._ending: asyncio.Task[None] | None = None
        self._is_closed = False

    async def ask(self, question: str) -> dict[str, Any]:
        """The answer to a line of JSON; raises `ReckoningError` or `UnanswerableError`."""
        if self._waiting >= MOST_WAITING or self._is_closed:
            raise ReckoningError("too many questions wait already")
        self._waiting += 1
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S), self._turn:
                answer: dict[str, Any] = from_json(await self._ask(question))
        except (TimeoutError, OSError) as error:
            raise ReckoningError(f"no answer: {type(error).__name__}") from error
        finally:
            self._waiting -= 1
        if "error" in answer:
            raise UnanswerableError(answer["error"])
        return answer

    async def close(self) -> None:
        """End the process."""
        self._is_closed = True
        await self._stay()
        process = self._process
        self._kill()
        if process is not None:
            await process.wait()

    async def _ask(self, question: str) -> bytes:
        await self._stay()
        process = await self._running()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        answer = b""
        try:
            process.stdin.write(question.encode() + b"\n")
            await process.stdin.drain()
            answer = await process.stdout.readline()
        finally:
            if answer:
                self._ending = asyncio.ensure_future(self._end_when_idle())
            else:
                self._kill()  # whatever it would still say belongs to no question
        if not answer:
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
