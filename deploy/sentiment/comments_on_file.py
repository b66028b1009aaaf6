"""The comments that were written for training, and which of them are alike."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).with_name("comments")
HELD_OUT = FOLDER / "heldout.jsonl"
OTHER_LANGUAGES = FOLDER / "other-languages.jsonl"
ALIKE = 0.5  # share of common letter triples from which two comments are of one family
_NO_WORD = re.compile(r"\W+")
_UNSEEN = re.compile("[\\s\ufe0f\u200d\U0001f3fb-\U0001f3ff]")


@dataclass(frozen=True, slots=True)
class Written:
    """A comment with what it says, as its author meant it."""

    text: str
    sentiment: str
    lang: str
    kind: str
    aspects: Mapping[str, bool] = field(default_factory=dict)


def read(path: Path) -> list[Written]:
    """All comments of one file; aspects that are null are not said."""
    rows = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    return [
        Written(
            row["text"],
            row["sentiment"],
            row["lang"],
            row["kind"],
            {name: said for name, said in row["aspects"].items() if said is not None},
        )
        for row in rows
    ]


def by_hand() -> list[Written]:
    """The comments for training that were written one by one."""
    paths = sorted(FOLDER.glob("train-??.jsonl"))
    return [written for path in paths for written in read(path)]


def composed() -> list[Written]:
    """Those that were put together from parts (`compose.py`)."""
    return read(FOLDER / "train-composed.jsonl")


def for_training() -> list[Written]:
    """All but the held-out part."""
    return by_hand() + composed()


def triples(text: str) -> frozenset[str]:
    """Letter triples of a comment; of one without letters, its emoji."""
    bare = _NO_WORD.sub(" ", text.lower()).strip()
    if not bare:
        return frozenset(_UNSEEN.sub("", text))
    return frozenset(f" {bare} "[at : at + 3] for at in range(len(bare)))


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two comments are near-duplicates."""
    return len(one & other) >= ALIKE * max(1, len(one | other))


def families(texts: Sequence[str]) -> list[int]:
    """The place of the first of its family, per text; texts may be alike through others."""
    found = [triples(text) for text in texts]
    parent = list(range(len(texts)))
    for one, other in _pairs(found):
        low, high = sorted((_root(parent, one), _root(parent, other)))
        parent[high] = low  # the first of a family names it, in whatever order pairs are found
    return [_root(parent, at) for at in range(len(texts))]


def _pairs(found: Sequence[frozenset[str]]) -> Iterable[tuple[int, int]]:
    having: defaultdict[str, list[int]] = defaultdict(list)
    for at, mine in enumerate(found):
        common = Counter(other for triple in mine for other in having[triple])
        yield from (
            (at, other)
            for other, shared in common.items()
            if shared >= ALIKE * max(1, len(mine) + len(found[other]) - shared)
        )
        for triple in mine:
            having[triple].append(at)


def _root(parent: list[int], at: int) -> int:
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at
