"""Hides what texts say of people before they are stored: by the patterns of exports, or by code of
the operator's own, which runs in a process of its own so that it can be ended.

The same text always becomes the same, so that every service stores the same.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal, Protocol, TypeVar

from shared import telemetry
from shared.events.base import Event
from shared.privacy.mask_process import HookError, MaskProcess
from shared.privacy.texts import letter_texts, letter_with, texts_of, with_texts
from shared.settings import MaskSettings
from shared.training.redaction import redact

BUILTIN = "builtin"
AT_ONCE = 50
"""Texts after which others have their turn."""
PROBE = "Write to anna@example.com."

E = TypeVar("E", bound=Event)
Fails = Literal["closed", "open"]


class Hook(Protocol):
    """What hides."""

    async def hide(self, texts: Sequence[str]) -> Sequence[str | None]:
        """Each text as it may be stored; `None`: it could not be masked."""

    async def close(self) -> None:
        """Let go of what it runs."""


class Patterns:
    """Mail addresses, phones, cards, IBANs, addresses of machines and secrets, by their form."""

    async def hide(self, texts: Sequence[str]) -> Sequence[str | None]:
        """Placeholders such as `[EMAIL]`."""
        found: list[str | None] = []
        for number, text in enumerate(texts, 1):
            found.append(redact(text)[0])
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return found

    async def close(self) -> None:
        """It runs nothing."""


class Mask:
    """Masks events. What cannot be masked is left away, or stays (`fails` = open)."""

    def __init__(self, hook: Hook, fails: Fails) -> None:
        self._hook = hook
        self._is_open = fails == "open"

    async def events(self, events: Sequence[E]) -> list[E]:
        """The same events with masked texts."""
        texts = [texts_of(event) for event in events]
        hidden = iter(await self.texts([text for some in texts for text in some]))
        return [
            with_texts(event, [next(hidden) for _ in some])
            for event, some in zip(events, texts, strict=True)
        ]

    async def letter(self, value: bytes) -> bytes | None:
        """A record that is no event, masked; `None` where nobody can tell what of it is a text."""
        texts = letter_texts(value)
        if texts is None:
            if self._is_open:
                return value
            telemetry.MASK_FAILURES.labels("unreadable").inc()
            return None
        return letter_with(value, await self.texts(texts))

    async def texts(self, texts: Sequence[str]) -> list[str | None]:
        """Each text as it may be stored."""
        if not texts:
            return []
        hidden = await self._hook.hide(texts)
        return [
            text if one is None and self._is_open else one
            for text, one in zip(texts, hidden, strict=True)
        ]

    async def check(self) -> None:
        """Raise `HookError` unless it works."""
        if await self._hook.hide([PROBE]) == [None]:
            raise HookError("it fails, or answers no text, when asked to mask a sentence")

    async def close(self) -> None:
        """Let go of what it runs."""
        await self._hook.close()


@asynccontextmanager
async def masking(settings: MaskSettings) -> AsyncIterator[Mask | None]:
    """The mask of the settings, tried once; one that does not work ends the process.

    It must not start without: texts would be stored as they are.
    """
    if settings.mask is None:
        yield None
        return
    is_own = settings.mask != BUILTIN
    hook = MaskProcess(settings.mask, settings.mask_within_s) if is_own else Patterns()
    mask = Mask(hook, settings.mask_fails)
    try:
        try:
            await mask.check()
        except HookError as error:
            sys.exit(f"ASSAY_MASK is wrong: {error} (see docs/privacy.md).")
        yield mask
    finally:
        await mask.close()
