"""A team's own scorer in place of ours: `package.module:name`, or `/a/path/file.py:name`."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog

from services.feedback.domain.sentiment.labels import ASPECTS, Label, Scorer, Sentiment
from services.feedback.domain.sentiment.merge import STARS, THUMBS
from services.feedback.domain.sentiment.model import packaged

PROBE = "The answer was correct."


class ScorerError(Exception):
    """The configured scorer cannot be used; the message says what to change."""


def chosen_scorer(where: str | None) -> Scorer:
    """Ours, or the one that `where` names: loaded, called once, and its answer checked.

    Raises ScorerError. Code at a path runs with this process's rights: only operators set it.
    """
    return packaged() if where is None else _Checked(where, _loaded(where))


FAILED = "scorer-failed"

log = structlog.get_logger()


class Forgiving:
    """A scorer in service: a comment that it cannot read is an abstention, and holds up nobody."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def __call__(self, comment: str) -> Sentiment:
        try:
            return self._scorer(comment)
        except Exception as error:
            # Not its words: they may hold the comment.
            log.error("scorer_failed", kind=type(error).__name__)
            return Sentiment(None, 0.0, 0.0, FAILED, "1")


class _Checked:
    """Holds a foreign scorer to what rows may store; what it raises is not hidden."""

    def __init__(self, where: str, scorer: Callable[[str], Any]) -> None:
        self._where, self._scorer = where, scorer
        self(PROBE)

    def __call__(self, comment: str) -> Sentiment:
        found = self._scorer(comment)
        wrong = next(_wrong(found), None)
        if wrong is not None:
            raise ScorerError(f"scorer {self._where}: {wrong}")
        checked: Sentiment = found
        return checked


def _wrong(found: Any) -> Any:
    if not isinstance(found, Sentiment):
        yield f"must return a Sentiment, returned {type(found).__name__}"
        return
    if found.label is not None and found.label not in list(Label):
        yield f"label must be one of {', '.join(Label)} or None, is {found.label!r}"
    if not -1 <= found.score <= 1:
        yield f"score must lie between -1 and 1, is {found.score!r}"
    if not 0 <= found.confidence <= 1:
        yield f"confidence must lie between 0 and 1, is {found.confidence!r}"
    for name, text in (("method", found.method), ("version", found.version)):
        if not (isinstance(text, str) and text and "\0" not in text):
            yield f"method and version must say who judged; {name} is {text!r}"
    if found.method in {STARS, THUMBS}:
        yield f"method must not be {found.method!r}, which means what was said outright"
    if strange := [name for name in found.aspects if name not in ASPECTS]:
        yield f"aspects must be among {', '.join(ASPECTS)}, has {strange[0]!r}"
    if not all(isinstance(said, bool) for said in found.aspects.values()):
        yield f"aspects must be true or false, are {dict(found.aspects)!r}"


def _loaded(where: str) -> Callable[[str], Any]:
    place, colon, name = where.rpartition(":")
    if not (place and colon and name):
        raise ScorerError(f"scorer {where!r}: write package.module:name or /path/file.py:name")
    found = getattr(_module(place), name, None)
    if found is None:
        raise ScorerError(f"scorer {where}: {place} has no {name}")
    # A class is a scorer with a model to load: made once, then called.
    made = found() if isinstance(found, type) else found
    if not callable(made):
        raise ScorerError(f"scorer {where}: {name} is not callable")
    scorer: Callable[[str], Any] = made
    return scorer


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        try:
            return import_module(place)
        except ImportError as error:
            raise ScorerError(f"scorer: cannot import {place}: {error}") from error
    path = Path(place)
    if not path.is_file():
        raise ScorerError(f"scorer: no file at {path}")
    spec = spec_from_file_location(f"assay_scorer_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ScorerError(f"scorer: {path} is not Python")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
