"""Train the scorer of comments: `python -m deploy.sentiment.train`, some minutes on one core.

Thresholds and calibration come from cross-validation by family on the training part; neither the
held-out part nor any other set is looked at.
"""

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from deploy.sentiment.comments_on_file import (
    OTHER_LANGUAGES,
    Written,
    by_hand,
    composed,
    families,
    outcomes,
)
from services.feedback.domain.sentiment import model
from services.feedback.domain.sentiment.features import BUCKETS, LETTERS, of_comment
from services.feedback.domain.sentiment.labels import ASPECTS, LANGUAGES
from services.feedback.domain.sentiment.words import clean, words

TARGET = Path(model.__file__).with_name("model.npz")
COVERAGE = 0.72  # of training comments, all kinds alike, by cross-validation
ASPECT_PRECISION = 0.75
LANGUAGE_THRESHOLD = 0.6
LETTER_WEIGHT = 0.3
LANGUAGE_LETTERS = 2.0  # letters tell a language better than praise: times LETTER_WEIGHT
CERTAIN = 1 - 1e-6  # the threshold of what is never told
STRENGTH = 5.0  # inverse of the L2 penalty, by cross-validation
STEPS = 21
Floats = NDArray[np.float64]


def counted(texts: Sequence[str]) -> sparse.csr_matrix:
    """One row a text, 1 where it has a feature."""
    at = [np.unique(of_comment(words(clean(text)))) for text in texts]
    ends = np.cumsum([0, *map(len, at)])
    ones = np.ones(ends[-1])
    return sparse.csr_matrix((ones, np.concatenate(at), ends), shape=(len(texts), BUCKETS))


def rarity(rows: sparse.csr_matrix) -> Floats:
    """Weight of each feature: rare ones tell more; letter groups tell less."""
    seen = np.asarray(rows.sum(axis=0)).ravel()
    weights: Floats = np.log((1 + rows.shape[0]) / (1 + seen)) + 1
    weights[:LETTERS] *= LETTER_WEIGHT
    return weights


def weighed(rows: sparse.csr_matrix, weights: Floats) -> sparse.csr_matrix:
    """Rows of length 1."""
    scaled = rows @ sparse.diags(weights)
    length = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel())
    return (sparse.diags(1 / np.maximum(length, 1e-9)) @ scaled).tocsr()


def fitted(rows: sparse.csr_matrix, said: Any) -> LogisticRegression:
    """A logistic regression whose classes weigh the same."""
    return LogisticRegression(C=STRENGTH, max_iter=300, class_weight="balanced").fit(rows, said)


def crossed(rows: sparse.csr_matrix, said: NDArray[Any], groups: Sequence[int]) -> Floats:
    """Chances of each class for each row, by models that saw no row of its family."""
    chances = np.zeros((len(said), len(np.unique(said))))
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=1)
    for seen, unseen in folds.split(rows, said, groups):
        weights = rarity(rows[seen])
        fit = fitted(weighed(rows[seen], weights), said[seen])
        chances[unseen] = fit.predict_proba(weighed(rows[unseen], weights))
    return chances


def label_calibration(
    chances: Floats, said: NDArray[Any], kinds: Sequence[str]
) -> tuple[Floats, float]:
    """How often each certainty is right, and the certainty from which to answer.

    Hard kinds are most of what was written: each kind counts the same, as if all were as common.
    """
    answers = [model.decided(row.tolist()) for row in chances]
    sure = np.array([certainty for _, certainty in answers])
    right = np.array([model.LABELS[at].value for at, _ in answers]) == said
    curve = IsotonicRegression(out_of_bounds="clip").fit(sure, right)
    many = Counter(kinds)
    order = np.argsort(-sure)
    share = np.cumsum(np.array([1 / many[kind] for kind in kinds])[order]) / len(many)
    least = sure[order[np.searchsorted(share, COVERAGE)]]
    return curve.predict(np.linspace(0, 1, STEPS)), float(least)


def aspect_threshold(chances: Floats, said: Floats) -> float:
    """The lowest threshold from which on an aspect is told as precisely as wanted."""
    order = np.argsort(-chances)
    precision = np.cumsum(said[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(precision >= ASPECT_PRECISION)
    return float(min(chances[order[enough[-1]]], CERTAIN)) if len(enough) else CERTAIN


def aspect_columns(written: Sequence[Written]) -> list[Floats]:
    """Whether each aspect is said to be true, then false."""
    return [
        np.array([comment.aspects.get(name) is told for comment in written], dtype=float)
        for told in (True, False)
        for name in ASPECTS
    ]


def train(
    hand: Sequence[Written], told: Sequence[Written], made: Sequence[Written]
) -> dict[str, Any]:
    """What the scorer needs, as arrays. Composed sentences are too easy to calibrate on.

    Those of `told` say fewer aspects than they imply: they teach labels only.
    """
    written = [*hand, *made, *told]
    rows = counted([comment.text for comment in written])
    said = np.array([comment.sentiment for comment in written])
    groups = families([comment.text for comment in written])
    chances = crossed(rows, said, groups)
    single = np.r_[: len(hand), len(hand) + len(made) : len(written)]
    kinds = [comment.kind for comment in (*hand, *told)]
    calibration, label_threshold = label_calibration(chances[single], said[single], kinds)
    weights = rarity(rows)
    ready = weighed(rows, weights)
    taught = slice(len(hand) + len(made))
    columns = aspect_columns(written[taught])
    aspects = [
        aspect_threshold(
            crossed(rows[taught], column, groups[taught])[: len(hand), 1], column[: len(hand)]
        )
        for column in columns
    ]
    fits = [fitted(ready, said), *(fitted(ready[taught], column) for column in columns)]
    of_languages, bias_of_languages = _languages(written, weights)
    coefficients = [*(fit.coef_ for fit in fits), of_languages]
    biases = [*(fit.intercept_ for fit in fits), bias_of_languages]
    stored, scale = _as_bytes(np.vstack(coefficients).T)
    return {
        "weights": stored,
        "scale": scale,
        "bias": np.concatenate(biases).astype(np.float32),
        "rarity": weights.astype(np.float16),
        "calibration": calibration.astype(np.float32),
        "thresholds": np.array((label_threshold, LANGUAGE_THRESHOLD)),
        "aspect_thresholds": np.array(aspects, dtype=np.float32),
        "version": np.array(_version(written)),
    }


def _languages(written: Sequence[Written], weights: Floats) -> tuple[Floats, Floats]:
    others = [json.loads(line)["text"] for line in OTHER_LANGUAGES.read_text("utf-8").splitlines()]
    spoken = [comment for comment in written if any(map(str.isalpha, comment.text))]
    texts = [comment.text for comment in spoken] + others
    tongues = [comment.lang for comment in spoken] + ["other"] * len(others)
    order = {name: at for at, name in enumerate((*LANGUAGES, "other"))}
    lifted = np.ones(BUCKETS)
    lifted[:LETTERS] = LANGUAGE_LETTERS
    rows = weighed(counted(texts), weights) @ sparse.diags(lifted)
    fit = fitted(rows, [order[name] for name in tongues])
    return fit.coef_ * lifted, fit.intercept_


def _as_bytes(coefficients: Floats) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    scale = np.abs(coefficients).max(axis=0) / 127
    return np.rint(coefficients / scale).astype(np.int8), scale.astype(np.float32)


def _version(written: Sequence[Written]) -> str:
    return "1-" + sha256(repr(list(written)).encode()).hexdigest()[:8]


def main() -> None:
    """Train and store."""
    found = train(by_hand(), outcomes(), composed())
    np.savez_compressed(TARGET, **found)
    size = TARGET.stat().st_size / 1e6
    told = (found["thresholds"].round(3), found["aspect_thresholds"].round(2))
    print(f"{found['version']}: {size:.2f} MB, thresholds {told}")


if __name__ == "__main__":
    main()
