"""What is said of a name that nobody knows: what was probably meant, and what there is."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST_NAMED = 20
MOST_COMPARED = 64  # characters: to compare costs their number times that of what is known


def not_known(name: str, known: Iterable[str]) -> str:
    """Why a name is refused, without the name itself."""
    there = sorted(known)
    if not there:
        return "is not known; nothing can be named here"
    close = get_close_matches(name[:MOST_COMPARED], there, 1)
    meant = f"; did you mean {close[0]}?" if close else "."
    more = f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else ""
    return f"is not known{meant} Known are {', '.join(there[:MOST_NAMED])}{more}"
