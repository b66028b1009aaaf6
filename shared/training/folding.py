"""Texts as patterns read them: other spaces, dashes and full-width forms as those of ASCII."""

import re
import unicodedata
from typing import NamedTuple

_FULL_WIDTH = range(0xFF01, 0xFF5F)
_TO_ASCII = 0xFF01 - ord("!")
_MINUS = "\u2212"


def _plain(one: str) -> str | None:
    """What stands for a character: nothing for one that is not seen; `None` if it stays."""
    if ord(one) in _FULL_WIDTH:
        return chr(ord(one) - _TO_ASCII)
    if one == _MINUS:
        return "-"
    return {"Zs": " ", "Pd": "-", "Cf": ""}.get(unicodedata.category(one))


# Of the first plane only: a set with others in it is searched twenty times as slowly.
_PLAIN = {
    one: plain for one in map(chr, range(0x80, 0x10000)) if (plain := _plain(one)) is not None
}
_FOLDED = re.compile(f"[{re.escape(''.join(_PLAIN))}]")


class Folded(NamedTuple):
    """A folded text, and where each of its characters stood; `None` if all stand where they did."""

    text: str
    places: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A span of the text that was folded; what is not seen inside it belongs to it."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def folded(text: str) -> Folded | None:
    """The text folded; `None` for one that stays as it is, which takes next to no time."""
    if text.isascii() or not _FOLDED.search(text):
        return None
    plain = _FOLDED.sub(lambda match: _PLAIN[match[0]], text)
    if len(plain) == len(text):
        return Folded(plain, None)
    return Folded(plain, [at for at, one in enumerate(text) if _PLAIN.get(one) != ""])
