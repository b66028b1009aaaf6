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
    """Comments for training that were written one by one, with all aspects that they imply."""
    return _all("train-??.jsonl")


def outcomes() -> list[Written]:
    """More of them, mostly of what came of an answer; aspects only where said outright."""
    return _all("outcomes-??.jsonl")


def _all(pattern: str) -> list[Written]:
    return [written for path in sorted(FOLDER.glob(pattern)) for written in read(path)]


def composed() -> list[Written]:
    """Those that were put together from parts (`compose.py`)."""
    return read(FOLDER / "train-composed.jsonl")


def for_training() -> list[Written]:
    """All but the held-out part."""
    return by_hand() + outcomes() + composed()


def triples(text: str) -> frozenset[str]:
    """Letter triples of a comment; of one without letters, its emoji."""
    bare = _NO_WORD.sub(" ", text.lower()).strip()
    if not bare:
        return frozenset(_UNSEEN.sub("", text))
    return frozenset(f" {bare} "[at : at + 3] for at in range(len(bare)))


def alike(texts: Sequence[str], others: Sequence[str]) -> list[bool]:
    """Whether each text is a near-duplicate of one of the others."""
    known = _Index()
    for other in others:
        known.add(triples(other))
    return [any(True for _ in known.like(triples(text))) for text in texts]


def families(texts: Sequence[str]) -> list[int]:
    """The place of the first of its family, per text; texts may be alike through others."""
    parent, before = list(range(len(texts))), _Index()
    for one, text in enumerate(texts):
        mine = triples(text)
        for other in before.like(mine):
            low, high = sorted((_root(parent, one), _root(parent, other)))
            parent[high] = low  # the first of a family names it, in whatever order they are found
        before.add(mine)
    return [_root(parent, at) for at in range(len(texts))]


class _Index:
    """Comments by their letter triples, numbered as they were added."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._having: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, mine: frozenset[str]) -> None:
        for triple in mine:
            self._having[triple].append(len(self._sizes))
        self._sizes.append(len(mine))

    def like(self, mine: frozenset[str]) -> Iterable[int]:
        """Numbers of near-duplicates."""
        common: Counter[int] = Counter()
        for triple in mine:
            common.update(self._having.get(triple, ()))
        for other, shared in common.items():
            if shared >= ALIKE * max(1, len(mine) + self._sizes[other] - shared):
                yield other


def _root(parent: list[int], at: int) -> int:
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at
