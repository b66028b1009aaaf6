"""The scorer that comes with Assay: a linear model over the features of `features.py`.

Trained by `deploy/sentiment_training.py` on `training/*.jsonl`; weights are 8-bit integers.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from services.feedback.domain.sentiment.features import of_comment
from services.feedback.domain.sentiment.labels import ASPECTS, LANGUAGES, Label, Sentiment
from services.feedback.domain.sentiment.words import clean, words

METHOD = "assay-linear"
LABELS = tuple(Label)
_SAYS = len(LABELS)  # the columns after the labels: each aspect said to be true, then false
_SPEAKS = _SAYS + 2 * len(ASPECTS)  # then languages, the last being any other
OUTPUTS = _SPEAKS + len(LANGUAGES) + 1
# Letters of other scripts: beyond this share nothing here can read the comment.
_FOREIGN_SHARE = 0.3
_LAST_LATIN = "\u024f"


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
    aspect_threshold: float
    language_threshold: float

    def __call__(self, comment: str) -> Sentiment:
        """The judgement, or an abstention that names its reason."""
        text = clean(comment)
        found = words(text)
        if not found or not any(map(_says_something, found)):
            return self._silent("empty")
        if _is_foreign(text):
            return self._silent("other-script")
        return self._judged(self.outputs(found), any(map(str.isalpha, found)))

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

    def _judged(self, raw: NDArray[np.float32], has_words: bool) -> Sentiment:
        lang, sure = _language(raw) if has_words else (None, 1.0)
        if lang == "other" and sure >= self.language_threshold:
            return self._silent("other-language")
        chances = softmax(raw[:_SAYS])
        score = round(float(chances[-1] - chances[0]), 4)
        label = LABELS[int(chances.argmax())]
        certainty = sureness(chances)
        steps = np.linspace(0, 1, len(self.calibration))
        confidence = round(float(np.interp(certainty, steps, self.calibration)), 4)
        told = label if certainty >= self.label_threshold else None
        lang = None if lang == "other" else lang
        aspects = self._aspects(raw[_SAYS:_SPEAKS])
        return Sentiment(told, score, confidence, METHOD, self.version, lang, aspects)

    def _aspects(self, raw: NDArray[np.float32]) -> dict[str, bool]:
        chances = 1 / (1 + np.exp(-raw))
        said: dict[str, bool] = {}
        for at, name in enumerate(ASPECTS):
            true, false = chances[at], chances[at + len(ASPECTS)]
            if max(true, false) >= self.aspect_threshold:
                said[name] = bool(true > false)
        return said

    def _silent(self, why: str) -> Sentiment:
        return Sentiment(None, 0.0, 0.0, f"{METHOD}:{why}", self.version)


def softmax(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities that add up to 1."""
    grown = np.exp(raw - raw.max())
    found: NDArray[np.float32] = grown / grown.sum()
    return found


def sureness(chances: NDArray[np.float32]) -> float:
    """Chance of the likeliest label less that of its opposite: a flip costs more than a miss."""
    best = int(chances.argmax())
    opposite = 0.0 if best == 1 else float(chances[2 - best])
    return max(0.0, float(chances[best]) - opposite)


def _language(raw: NDArray[np.float32]) -> tuple[str, float]:
    chances = softmax(raw[_SPEAKS:])
    best = int(chances.argmax())
    return (*LANGUAGES, "other")[best], float(chances[best])


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
        label, aspect, language = map(float, stored["thresholds"])
        return Model(
            version=str(stored["version"]),
            weights=stored["weights"],
            scale=stored["scale"],
            bias=stored["bias"],
            rarity=stored["rarity"].astype(np.float32),
            calibration=stored["calibration"],
            label_threshold=label,
            aspect_threshold=aspect,
            language_threshold=language,
        )
