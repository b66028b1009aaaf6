"""What of a comment is read and shown: no personal data, no control characters, not all of it."""

import unicodedata
from typing import Final

from shared.training.redaction import redact

MOST_READ: Final = 1_000
MOST_SHOWN: Final = 300
CUT: Final = "…"


def readable(text: str) -> str:
    """The beginning of a comment, without personal data."""
    start = text[:MOST_READ]
    if len(text) >= MOST_READ:
        # Half a name or number at the end is no longer recognised as one.
        start = "".join(start.rsplit(maxsplit=1)[:1])  # of blanks alone nothing is left
    return redact(start)[0]


def example(text: str) -> str:
    """One line of at most 300 characters: data, of which nothing steers a terminal."""
    plain = "".join(" " if unicodedata.category(one)[0] == "C" else one for one in text)
    line = " ".join(plain.split())
    return line if len(line) <= MOST_SHOWN else line[: MOST_SHOWN - 1] + CUT
