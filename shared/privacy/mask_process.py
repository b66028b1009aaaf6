"""A hook of the operator's own, in a process that is ended when it takes too long.

A thread would not do: a pattern that backtracks for ever holds the interpreter's lock.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import structlog
from pydantic_core import from_json, to_json

from shared import telemetry

MOST_LINE_BYTES = 4 * 1024 * 1024
STARTS_WITHIN_S = 30.0
MOST_TIMEOUTS = 3
"""After so many in a portion the rest of it is not tried: it would take as long each."""

log = structlog.get_logger()


class HookError(Exception):
    """The configured mask cannot be used; the message says why."""


class MaskProcess:
    """One text at a time, each within `within_s`; a new process after one that took longer."""

    def __init__(self, where: str, within_s: float) -> None:
        self._where = where
        self._within_s = within_s
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def hide(self, texts: Sequence[str]) -> Sequence[str | None]:
        """Each text as the hook gives it back; `None` where it gave none."""
        found: list[str | None] = []
        timeouts = 0
        async with self._turn:
            for text in texts:
                if timeouts >= MOST_TIMEOUTS:
                    _count("skipped")
                    found.append(None)
                    continue
                try:
                    found.append(await self._ask(text))
                except TimeoutError:
                    timeouts += 1
                    _count("timeout")
                    found.append(None)
        return found

    async def close(self) -> None:
        """End the process."""
        process = self._process
        self._kill()
        if process is not None:
            await process.wait()

    async def _ask(self, text: str) -> str | None:
        process = await self._running()
        answer: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(self._within_s):
                answer = await _exchanged(process, {"text": text})
        finally:
            if answer is None:
                self._kill()  # what it would still say belongs to no text
        if answer is None or not isinstance(answer.get("text"), str):
            _count("error")
            return None
        return str(answer["text"])

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "shared.privacy.mask_hook", self._where),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=MOST_LINE_BYTES,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        answer: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(STARTS_WITHIN_S):
                answer = await _exchanged(self._process, None)
        except TimeoutError:
            answer = {"error": f"it does not load within {STARTS_WITHIN_S:.0f} s"}
        finally:
            if answer is None or "error" in answer:
                self._kill()
        if answer is None or "error" in answer:
            raise HookError((answer or {}).get("error", "its process ended"))
        assert self._process is not None  # noqa: S101 - it has just answered
        return self._process

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process = None


async def _exchanged(
    process: asyncio.subprocess.Process, question: dict[str, Any] | None
) -> dict[str, Any] | None:
    """The next line that it says; `None` when it has ended, or says what is no answer."""
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    try:
        if question is not None:
            process.stdin.write(to_json(question) + b"\n")
            await process.stdin.drain()
        answer = from_json(await process.stdout.readline())
    except (ConnectionError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


def _count(why: str) -> None:
    telemetry.MASK_FAILURES.labels(why).inc()
    log.error("mask_failed", why=why)  # not the text, nor what the hook says: it may hold it
