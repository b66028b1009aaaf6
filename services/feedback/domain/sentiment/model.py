"""The scorer that comes with Assay: a linear model over the features of `features.py`.

Trained by `deploy/sentiment/train.py` on `deploy/sentiment/comments`; weights are 8-bit integers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from math import exp

import numpy as np
from numpy.typing import NDArray

from services.feedback.domain.sentiment.features import of_comment
from services.feedback.domain.sentiment.labels import ASPECTS, LANGUAGES, Label, Sentiment
from services.feedback.domain.sentiment.words import clean, words

METHOD = "assay-linear"
_OTHER = "other"
LABELS = tuple(Label)
_SAYS = len(LABELS)  # the columns after the labels: each aspect said to be true, then false
_SPEAKS = _SAYS + 2 * len(ASPECTS)  # then languages, the last being any other
OUTPUTS = _SPEAKS + len(LANGUAGES) + 1
# Letters of other scripts: beyond this share nothing here can read the comment.
_FOREIGN_SHARE = 0.3
_LAST_LATIN = "\u024f"
# Cost of telling the opposite pole, where telling a neighbour costs 1; by cross-validation.
FLIP_COST = 2.0
FLIP_CHANCE = 0.22  # a pole whose opposite is likelier is not told; by cross-validation
_NEUTRAL_FAVOUR = 1.25  # neutral is no flip, so it is told from a lower chance


@dataclass(frozen=True, slots=True)
class Model:
    """Weights and the thresholds that training chose. Rows: features; columns: outputs."""

    version: str
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    rarity: NDArray[np.float32]
    calibration: NDArray[np.float32]  # certainty → how often right, at 0, 0.05 … 1
    label_threshold: float
    aspect_least: tuple[float, ...]  # raw output from which each aspect is told: true, then false
    language_threshold: float

    def __call__(self, comment: str) -> Sentiment:
        """The judgement, or an abstention that names its reason."""
        text = clean(comment)
        found = words(text)
        if not found or not any(map(_says_something, found)):
            return self._silent("empty")
        if _is_foreign(text):
            return self._silent("other-script")
        return self._judged(self.outputs(found).tolist(), any(map(str.isalpha, found)))

    def likeliest(self, comment: str) -> Label:
        """The likeliest label, however unsure: for measuring, not for storing."""
        return LABELS[int(self.outputs(words(clean(comment)))[:_SAYS].argmax())]

    def outputs(self, found: list[str]) -> NDArray[np.float32]:
        """Raw outputs for the words of a comment."""
        at = np.fromiter(set(of_comment(found)), np.int64)
        weight = self.rarity[at]
        weight /= np.sqrt(weight @ weight)
        raw: NDArray[np.float32] = weight @ self.weights[at].astype(np.float32)
        return raw * self.scale + self.bias

    def _judged(self, raw: list[float], has_words: bool) -> Sentiment:
        lang, sure = _language(raw[_SPEAKS:]) if has_words else (None, 1.0)
        if lang == _OTHER and sure >= self.language_threshold:
            return self._silent("other-language")
        chances = softmax(raw[:_SAYS])
        at, certainty = decided(chances)
        told = LABELS[at] if certainty >= self.label_threshold else None
        return Sentiment(
            told,
            round(chances[-1] - chances[0], 4),
            round(self._confidence(certainty), 4),
            METHOD,
            self.version,
            None if lang == _OTHER else lang,
            self._aspects(raw[_SAYS:_SPEAKS]),
        )

    def _confidence(self, certainty: float) -> float:
        at = certainty * (len(self.calibration) - 1)
        low = min(int(at), len(self.calibration) - 2)
        below, above = float(self.calibration[low]), float(self.calibration[low + 1])
        return below + (above - below) * (at - low)

    def _aspects(self, raw: list[float]) -> dict[str, bool]:
        over = [value - least for value, least in zip(raw, self.aspect_least, strict=True)]
        said = zip(ASPECTS, over, over[len(ASPECTS) :], strict=False)
        return {name: true > false for name, true, false in said if max(true, false) >= 0}

    def _silent(self, why: str) -> Sentiment:
        return Sentiment(None, 0.0, 0.0, f"{METHOD}:{why}", self.version)


def softmax(raw: Sequence[float]) -> list[float]:
    """Probabilities that add up to 1."""
    most = max(raw)
    grown = [exp(value - most) for value in raw]
    whole = sum(grown)
    return [value / whole for value in grown]


def decided(chances: Sequence[float]) -> tuple[int, float]:
    """The label that costs least by its chances, and how sure it is.

    Neutral costs one step either way and the opposite pole FLIP_COST, so that a pole is only told
    where its opposite is unlikely. A pole is as sure as its chance less that of its opposite, and
    not sure at all where its opposite is likelier than FLIP_CHANCE.
    """
    negative, neutral, positive = chances
    costs = (neutral + FLIP_COST * positive, negative + positive, neutral + FLIP_COST * negative)
    at = costs.index(min(costs))
    if LABELS[at] is Label.NEUTRAL:
        return at, min(1.0, _NEUTRAL_FAVOUR * neutral)
    return at, abs(positive - negative) if min(positive, negative) <= FLIP_CHANCE else 0.0


def _language(raw: Sequence[float]) -> tuple[str, float]:
    chances = softmax(raw)
    sure = max(chances)
    return (*LANGUAGES, _OTHER)[chances.index(sure)], sure


def _says_something(word: str) -> bool:
    return word.isalnum() or not word.isascii() or len(word) > 1


def _is_foreign(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    foreign = sum(letter > _LAST_LATIN for letter in letters)
    return foreign > _FOREIGN_SHARE * len(letters)


@lru_cache(1)
def packaged() -> Model:
    """The model that is installed with this package. Read once; 5 MB in memory."""
    with as_file(files(__package__).joinpath("model.npz")) as path, np.load(path) as stored:
        label, language = map(float, stored["thresholds"])
        least = stored["aspect_thresholds"].astype(float)
        return Model(
            version=str(stored["version"]),
            weights=stored["weights"],
            scale=stored["scale"],
            bias=stored["bias"],
            rarity=stored["rarity"].astype(np.float32),
            calibration=stored["calibration"],
            label_threshold=label,
            aspect_least=tuple(np.log(least / (1 - least)).tolist()),
            language_threshold=language,
        )
