"""Preference pairs: of two answers to the same prompt, which is the better one."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from uuid import UUID

from shared.training.messages import answer, messages
from shared.training.report import Report
from shared.training.row import NEUTRAL, Record, TrainingRow, no_text

MOST_ROWS = 100
"""Rows of one input that are looked at: what is held is at most this many rows."""
MOST_PAIRS = 50
"""Pairs of one input, so that a prompt that is asked all day does not outweigh all others."""
LEAST_DISTANCE = 0.2
"""In quality, between two variants of a test."""
_ROUNDING = 1e-9  # 0.7 - 0.5 is a little less than 0.2

NO_PAIR = "no_pair"
GROUP_FULL = "group_full"
PAIRS_FULL = "pairs_full"

Pair = tuple[TrainingRow, str, str, tuple[TrainingRow, ...]]  # prompt, chosen, rejected, rows


class Preference:
    """Pairs of rows that come ordered by (input's hash, occurred_at, operation_id, id)."""

    def __init__(self, clean: Callable[[TrainingRow], TrainingRow], report: Report) -> None:
        """`clean` redacts a row. Groups are those of the texts as they came."""
        self._clean, self._report = clean, report
        self._input: str | None = None
        self._group: list[TrainingRow] = []

    def feed(self, rows: Sequence[TrainingRow]) -> list[Record]:
        """The pairs of all inputs that these rows show to be complete."""
        records: list[Record] = []
        for row in rows:
            if (reason := no_text(row)) is not None:
                self._report.skipped[reason] += 1
                continue
            if row.input != self._input:
                records += self.finish()
                self._input = row.input
            if len(self._group) < MOST_ROWS:
                self._group.append(self._clean(row))
            else:
                self._report.skipped[GROUP_FULL] += 1
        return records

    def finish(self) -> list[Record]:
        """The pairs of the input that was being read."""
        group, self._group = self._group, []
        taken: list[Record] = []
        used: set[UUID] = set()
        for number, pair in enumerate(_pairs(group)):
            if number >= MOST_PAIRS:
                self._report.skipped[PAIRS_FULL] += 1
                continue
            taken.append(_record(pair))
            used.update(row.id for row in pair[-1])
        if alone := sum(row.id not in used for row in group):
            self._report.skipped[NO_PAIR] += alone
        return taken


def _pairs(group: Sequence[TrainingRow]) -> Iterator[Pair]:
    """Corrections first: they say the most. No pair twice, and none against an earlier one."""
    told: set[frozenset[str]] = set()
    for pair in (*_corrected(group), *_compared(group)):
        texts = frozenset((pair[1], pair[2]))
        if len(texts) == 2 and texts not in told:
            told.add(texts)
            yield pair


def _corrected(group: Sequence[TrainingRow]) -> Iterator[Pair]:
    for row in group:
        if row.kind == "answer" and row.output and row.correction and row.correction.strip():
            yield row, row.correction, row.output, (row,)


def _compared(group: Sequence[TrainingRow]) -> Iterator[Pair]:
    for one, other in combinations(group, 2):
        better, worse = (one, other) if one.quality > other.quality else (other, one)
        if _is_contest(better, worse) and better.output and worse.output:
            yield better, better.output, worse.output, (better, worse)


def _is_contest(better: TrainingRow, worse: TrainingRow) -> bool:
    """Whether two variants of one test answered, and one of them clearly better."""
    return (
        better.kind == worse.kind == "answer"
        and better.ab_test_id is not None
        and better.ab_test_id == worse.ab_test_id
        and None not in (better.variant, worse.variant)
        and better.variant != worse.variant
        and better.quality > NEUTRAL > worse.quality
        and better.quality - worse.quality >= LEAST_DISTANCE - _ROUNDING
    )


def _record(pair: Pair) -> Record:
    prompt, chosen, rejected, _ = pair
    return {
        "prompt": messages(prompt.input or ""),
        "chosen": [answer(chosen)],
        "rejected": [answer(rejected)],
    }
