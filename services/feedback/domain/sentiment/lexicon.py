"""Polar words, negations, contrasts and emoji of five languages (`lexicon.json`)."""

import json
from functools import lru_cache
from importlib.resources import files

from services.feedback.domain.sentiment.words import plain

POSITIVE, NEGATIVE, NEGATED, CONTRAST, HEDGED = "+", "-", "!", "|", "~"
_LISTS = {
    "positive": POSITIVE,
    "negative": NEGATIVE,
    "negators": NEGATED,
    "contrasts": CONTRAST,
    "hedges": HEDGED,
    "emoji_positive": POSITIVE,
    "emoji_negative": NEGATIVE,
    "emoji_neutral": HEDGED,
}
_SHORTEST_STEM = 4


def _read() -> dict[str, str]:
    text = files(__package__).joinpath("lexicon.json").read_text("utf-8")
    found: dict[str, str] = {}
    for name, entries in json.loads(text).items():
        for entry in entries:  # a list of words, or a string of emoji
            found.setdefault(plain(entry), _LISTS[name])
    return found


_CLASSES = _read()


@lru_cache(50_000)
def classes(word: str) -> str:
    """The class of a plain word, "" if it has none; an unknown ending (-s, -ed, -ly) is cut off."""
    if word in _CLASSES:
        return _CLASSES[word]
    if word == "?":
        return "?"
    if word.startswith("#"):
        return "#"
    for cut in (1, 2, 3):
        stem = word[:-cut]
        if len(stem) >= _SHORTEST_STEM and stem in _CLASSES:
            return _CLASSES[stem]
    return ""


def _read_cues() -> dict[str, tuple[str, ...]]:
    text = files(__package__).joinpath("cues.json").read_text("utf-8")
    found: dict[str, tuple[str, ...]] = {}
    for name, entries in json.loads(text).items():
        for word in {plain(entry) for entry in entries}:
            found[word] = (*found.get(word, ()), name)
    return found


_CUES = _read_cues()


def cues(word: str) -> tuple[str, ...]:
    """What a plain word may tell: speed, truth, use, a problem, somebody's consent …; mostly ()."""
    return _CUES.get(word, ())
