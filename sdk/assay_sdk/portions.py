"""Cuts a batch into pieces that the other side takes."""

from collections.abc import Iterator, Sequence


def portions(sizes: Sequence[int], most: int, most_bytes: int) -> Iterator[slice]:
    """Places that go together: `most` at a time, and within the bytes unless one alone is more."""
    start = held = 0
    for place, size in enumerate(sizes):
        if place > start and (place - start >= most or held + size > most_bytes):
            yield slice(start, place)
            start, held = place, 0
        held += size
    if start < len(sizes):
        yield slice(start, len(sizes))
