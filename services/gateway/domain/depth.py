"""How deep JSON goes, and of how many parts it is, told before it is parsed.

Parsers and validators recurse, and each part costs microseconds that nobody else is answered in.
What looks at strangers' bytes here takes time in proportion to their number, whatever they are.
"""

import re

from services.gateway.domain.problems import Problem
from shared.events.base import MAX_DEPTH

MOST_DEPTH = MAX_DEPTH
MOST_PARTS = 32_000
"""Objects and lists of a body; a full batch of ordinary events has a twentieth."""
ESCAPES = re.compile(rb"\\.", re.DOTALL)
STRINGS = re.compile(rb'"[^"]*+"')
BRACKETS = re.compile(rb"[\[\]{}]")


def is_too_deep(body: bytes, most: int = MOST_DEPTH) -> bool:
    """Whether objects and lists are within one another more than `most` times.

    Of what is no JSON it says anything: the parser refuses that.
    """
    if _openings(body) <= most:
        return False
    depth = 0
    for bracket in BRACKETS.findall(_without_strings(body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > most:
            return True
    return False


def refuse_too_many_parts(body: bytes) -> None:
    """Raises a problem (413) for a body that would keep everybody else waiting."""
    if has_too_many_parts(body):
        raise Problem("too-large", f"A body holds at most {MOST_PARTS} objects and lists.")


def has_too_many_parts(body: bytes, most: int = MOST_PARTS) -> bool:
    """Whether there are more objects and lists than `most`; brackets in strings are none."""
    return _openings(body) > most and _openings(_without_strings(body)) > most


def _openings(body: bytes) -> int:
    return body.count(b"[") + body.count(b"{")


def _without_strings(body: bytes) -> bytes:
    # Escapes first: a string is then what lies between two quotes, and no quote is tried twice.
    return STRINGS.sub(b"", ESCAPES.sub(b"", body))
