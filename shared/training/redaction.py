"""Hides personal data and secrets in texts behind typed placeholders such as `[EMAIL]`."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from pydantic_core import from_json, to_json

from shared.training.folding import folded
from shared.training.patterns import CARD_PASS, Pass, passes
from shared.training.row import TrainingRow

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|(?<![0-9.eE+-])[0-9]{13,19}(?![0-9.eE])', re.DOTALL)
Found = Counter[str]


class Redactor(Protocol):
    """Whoever hides data in texts."""

    @property
    def reads_every_row(self) -> bool:
        """Whether it finds more than the patterns, so that `has_pii` says nothing of it."""
        ...

    def redact(self, text: str) -> tuple[str, Found]:
        """The text without what it hides, and how often it hid which kind."""
        ...


class PatternRedactor:
    """The patterns of this module, as a `Redactor`."""

    reads_every_row = False

    def redact(self, text: str) -> tuple[str, Found]:
        return redact(text)


def redact(text: str) -> tuple[str, Found]:
    """The text with placeholders, and how many of each kind; a second time changes nothing.

    JSON stays JSON: its strings are redacted one by one, all else keeps its bytes.
    """
    found: Found = Counter()
    while (changed := _once(text, found)) != text:
        text = changed
    return text, found


def finds_any(text: str) -> bool:
    """Whether `redact` would change this text."""
    if _is_json(text):
        return any(_redacted_token(match.group(), Counter()) for match in _TOKEN.finditer(text))
    return any(True for one in _passes(text) for _ in _places(text, one))


def redact_row(row: TrainingRow, redactor: Redactor, found: Found) -> TrainingRow:
    """The row with its three texts redacted; what was hidden is added to `found`."""
    if not (row.has_pii or redactor.reads_every_row):
        return row
    texts: dict[str, str] = {}
    for name in ("input", "output", "correction"):
        text = getattr(row, name)
        if text:
            texts[name], kinds = redactor.redact(text)
            found.update(kinds)
    return row._replace(**texts)  # type: ignore[arg-type]


def _once(text: str, found: Found) -> str:
    if _is_json(text):
        return _TOKEN.sub(lambda match: _redacted_token(match[0], found) or match[0], text)
    for one in _passes(text):
        text = _without(text, one, found)
    return text


def _passes(text: str) -> list[Pass]:
    """Which could find something in the text, as it stands or folded."""
    held, plain = passes(text), folded(text)
    if plain is None:
        return held
    more = passes(plain.text)
    return more + [one for one in held if one not in more]


def _places(text: str, one: Pass) -> Iterator[tuple[int, int]]:
    """Where it stands, from left to right: in the text as it is and folded, never overlapping."""
    plain = folded(text)
    if plain is None:
        yield from one.found(text)
        return
    places = [*one.found(text), *(plain.span(*place) for place in one.found(plain.text))]
    last: tuple[int, int] | None = None
    for start, end in sorted(places):
        if last is not None and start < last[1]:
            last = last[0], max(last[1], end)
            continue
        if last is not None:
            yield last
        last = start, end
    if last is not None:
        yield last


def _without(text: str, one: Pass, found: Found) -> str:
    pieces: list[str] = []
    last = 0
    for start, end in _places(text, one):
        pieces += (text[last:start], one.placeholder)
        last = end
    if not pieces:
        return text
    found[one.placeholder[1:-1]] += len(pieces) // 2
    return "".join((*pieces, text[last:]))


def _is_json(text: str) -> bool:
    """Whether it is an object or a list in JSON that may hold something to hide."""
    if not text.lstrip(" \t\r\n").startswith(("[", "{")) or not ("\\u" in text or _passes(text)):
        return False
    try:
        from_json(text)
    except ValueError:  # also for escaped lone surrogates, and for what is nested too deep
        return False
    return True


def _redacted_token(token: str, found: Found) -> str | None:
    """A string or a long number of a JSON text, redacted; `None` if nothing is to be hidden."""
    if not token.startswith('"'):
        redacted = _without(token, CARD_PASS, found)
        return None if redacted == token else f'"{redacted}"'
    before = from_json(token)
    after, kinds = redact(before)
    found.update(kinds)
    return None if after == before else to_json(after).decode()
