"""How well comments are read: ours beside plain VADER, by kind and language. No servers."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from rich.table import Table
from sklearn.metrics import f1_score
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from deploy.sentiment.comments_on_file import HELD_OUT, Written, read
from services.feedback.domain.sentiment import features, model
from services.feedback.domain.sentiment.labels import ASPECTS, Sentiment

ROOT = Path(__file__).parent.parent
# Comments that are not in the repository; beside a checkout, or wherever the variable says.
ELSEWHERE = Path(
    os.environ.get("ASSAY_BENCH_COMMENTS", ROOT / "../shared/data/sentiment/comments.jsonl")
)
VADER_MARGIN = 0.05
LEAST_F1, LEAST_COVERAGE, MOST_FLIPPED, MOST_US, MOST_MB = 0.75, 0.70, 0.05, 100.0, 5.0


class Line(NamedTuple):
    """One group of comments."""

    name: str
    comments: int
    vader_accuracy: float
    vader_f1: float
    every_accuracy: float  # ours without abstaining
    every_f1: float
    coverage: float
    accuracy: float  # of what was answered
    f1: float
    flipped: float  # opposite poles, share of what was answered


def measure(name: str, comments: Sequence[Written], ours: Sequence[Sentiment]) -> Line:
    """All figures of one group."""
    said = [comment.sentiment for comment in comments]
    vader = [_vader(comment.text) for comment in comments]
    forced = [_forced(comment.text, answer) for comment, answer in zip(comments, ours, strict=True)]
    pairs = [(s, a.label.value) for s, a in zip(said, ours, strict=True) if a.label is not None]
    return Line(
        name,
        len(comments),
        *_right(zip(said, vader, strict=True)),
        *_right(zip(said, forced, strict=True)),
        len(pairs) / len(comments),
        *_right(pairs),
        sum({"negative", "positive"} == set(pair) for pair in pairs) / max(1, len(pairs)),
    )


def _right(pairs: Iterable[tuple[str, str]]) -> tuple[float, float]:
    kept = list(pairs)
    if not kept:
        return 0.0, 0.0
    said, told = zip(*kept, strict=True)
    share = sum(one == other for one, other in kept) / len(kept)
    return share, float(f1_score(said, told, average="macro", zero_division=0))


_ANALYSER = SentimentIntensityAnalyzer()


def _vader(text: str) -> str:
    score = _ANALYSER.polarity_scores(text)["compound"]
    if abs(score) < VADER_MARGIN:
        return "neutral"
    return "positive" if score > 0 else "negative"


def _forced(text: str, answer: Sentiment) -> str:
    """The likeliest label where ours abstains; neutral where it reads nothing."""
    if answer.label is not None or answer.method != model.METHOD:
        return answer.label or "neutral"
    return model.packaged().likeliest(text).value


def lines(comments: Sequence[Written]) -> list[Line]:
    """All, then by kind, then by language."""
    answered = [(comment, model.packaged()(comment.text)) for comment in comments]
    groups: dict[str, list[tuple[Written, Sentiment]]] = {"all": answered}
    for name in (attrgetter("kind"), attrgetter("lang")):
        for pair in sorted(answered, key=lambda pair, name=name: name(pair[0])):
            groups.setdefault(name(pair[0]), []).append(pair)
    return [
        measure(name, [comment for comment, _ in group], [answer for _, answer in group])
        for name, group in groups.items()
    ]


def aspects(comments: Sequence[Written]) -> tuple[float, float]:
    """Precision and recall of all aspects together; one that the author left open is an error."""
    right = told = said = 0
    for comment in comments:
        found = model.packaged()(comment.text).aspects
        told += len(found)
        said += len(comment.aspects)
        right += sum(found.get(name) is comment.aspects.get(name, 0) for name in ASPECTS)
    return right / max(1, told), right / max(1, said)


def microseconds(texts: Sequence[str], cold: bool) -> float:
    """Per comment; cold: no word was met before."""
    scorer = model.packaged()
    if cold:
        caches = (
            features.of_word,
            features._named,
            features._pair,
            features._skipped,
            features._pair_of_cues,
        )
        for remembered in caches:
            remembered.cache_clear()
    begun = time.perf_counter()
    for text in texts:
        scorer(text)
    return (time.perf_counter() - begun) / len(texts) * 1e6


def table(title: str, found: Iterable[Line]) -> Table:
    """One row a group."""
    out = Table(
        title, "n", "VADER acc", "F1", "forced acc", "F1", "answered", "acc", "F1", "flipped"
    )
    for line in found:
        out.add_row(line.name, str(line.comments), *(f"{value:.3f}" for value in line[2:]))
    return out


def sentiment(show: Callable[[object], None]) -> bool:
    """Measure and show; whether the targets are reached on comments nobody trained on."""
    sets = {"held out": read(HELD_OUT)}
    if ELSEWHERE.exists():
        sets["shared, never trained on"] = read(ELSEWHERE)
    reached = []
    for title, comments in sets.items():
        found = lines(comments)
        show(table(title, found))
        precise, recalled = aspects(comments)
        show(f"aspects: precision {precise:.2f}, recall {recalled:.2f}")
        reached.append(_reached(found[0]))
    texts = [comment.text for comment in sets["held out"]]
    cold, warm = microseconds(texts, cold=True), microseconds(texts, cold=False)
    size = Path(model.__file__).with_name("model.npz").stat().st_size / 1e6
    show(f"{warm:.0f} µs a comment, {cold:.0f} µs of unseen words; model {size:.2f} MB")
    verdicts = ", ".join("reached" if yes else "MISSED" for yes in reached)
    show(f"version {model.packaged().version}; F1, coverage and flips: {verdicts}")
    return reached[-1] and warm <= MOST_US and size <= MOST_MB


def _reached(line: Line) -> bool:
    return line.f1 >= LEAST_F1 and line.coverage >= LEAST_COVERAGE and line.flipped <= MOST_FLIPPED
