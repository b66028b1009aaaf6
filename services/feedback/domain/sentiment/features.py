"""From words to numbered features: n-grams, and the pattern of polar words, negations, contrasts.

Training and scoring share this file, so that a model always sees what it was trained on.
"""

from collections.abc import Iterator
from functools import lru_cache
from zlib import crc32

from services.feedback.domain.sentiment.lexicon import CONTRAST, NEGATED, classes, cues
from services.feedback.domain.sentiment.words import plain, shape

# Letter groups are many and weak: they have buckets, and a weight, of their own.
LETTERS = 1 << 17
BUCKETS = 2 * LETTERS
MAX_WORDS = 400
_REACH = 3  # words after a negation that it turns
_CACHED = 50_000
_ENDS = frozenset(".!?;")


def bucket(feature: str) -> int:
    """The number of a feature: stable across machines, unlike hash()."""
    return LETTERS + crc32(feature.encode(errors="replace")) % LETTERS


@lru_cache(_CACHED)
def of_word(word: str) -> tuple[int, ...]:
    """Features of one word wherever it stands: itself, its letters, its accents."""
    bare = plain(word)
    framed = f" {bare[:24]} "
    grams = {
        framed[start : start + size]
        for size in (3, 4, 5)
        for start in range(len(framed) - size + 1)
    }
    found = [
        bucket(f"w{bare}"),
        *(crc32(gram.encode(errors="replace")) % LETTERS for gram in sorted(grams)),
    ]
    accents = [letter for letter in word if not letter.isascii() and letter.isalpha()]
    return (*found, *(bucket(f"a{letter}") for letter in accents))


@lru_cache(_CACHED)
def _named(prefix: str, word: str) -> int:
    return bucket(prefix + word)


@lru_cache(4 * _CACHED)
def _pair(first: str, second: str) -> int:
    return bucket(f"b{first} {second}")


@lru_cache(4 * _CACHED)
def _skipped(first: str, second: str) -> int:
    return bucket(f"s{first} {second}")


@lru_cache(_CACHED)
def _pair_of_cues(first: str, second: str) -> int:
    return bucket(f"Q{first} {second}")


def of_comment(found: list[str]) -> list[int]:
    """All features of the words of a comment; one that occurs twice is there twice."""
    kept = [shape(word) for word in found[:MAX_WORDS]]
    features: list[int] = []
    for word in kept:
        features += of_word(word)
    bare = [plain(word) for word in kept]
    features += map(_pair, ["^", *bare], [*bare, "$"])
    features += _skipping(bare)
    features += _turned(bare)
    features += _cued(bare)
    features += _pattern(bare)
    return features


def _skipping(bare: list[str]) -> Iterator[int]:
    for gap in (2, 3):
        for first, second in zip(bare, bare[gap:], strict=False):
            yield _skipped(first, second)


def _turned(bare: list[str]) -> Iterator[int]:
    """Words that a negation reaches, and words after a contrast, which weigh more."""
    reach, contrasted = 0, False
    for word in bare:
        kind = classes(word)
        if word in _ENDS:
            reach = 0
        elif reach:
            yield _named("n", word)
            reach -= 1
        if contrasted:
            yield _named("t", word)
        if NEGATED in kind:
            reach = _REACH
        elif CONTRAST in kind:
            contrasted, reach = True, 0


def _cued(bare: list[str]) -> Iterator[int]:
    """Cues with what turns them, and pairs of cues, so that rare words share weights."""
    reach, last = 0, ""
    for word in bare:
        kind = classes(word)
        if word in _ENDS:
            reach, last = 0, ""
        for cue in cues(word):
            turned = f"!{cue}" if reach else cue
            yield _named("q", turned)
            if last:
                yield _pair_of_cues(last, turned)
        told = cues(word)
        if told:
            last = f"!{told[0]}" if reach else told[0]
        if NEGATED in kind:
            reach = _REACH + 1
        elif reach:
            reach -= 1


def _pattern(bare: list[str]) -> Iterator[int]:
    """The order of classes, such as positive-contrast-negative, with its counts and its length."""
    seen = "".join(map(classes, bare))[:40]
    for size in (1, 2, 3):
        for start in range(len(seen) - size + 1):
            yield _named("p", seen[start : start + size])
    yield _named("P", seen[:6])
    yield _named("E", "".join(dict.fromkeys(seen)))
    for kind in "+-!|?":
        yield _named(f"k{kind}", str(min(seen.count(kind), 4)))
    yield _named("l", str(len(bare).bit_length()))
