"""From rows to the records that trainers read: one class for each shape, fed portion by portion."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from shared.training.messages import answer, messages
from shared.training.pairs import Preference
from shared.training.report import Report
from shared.training.row import NEUTRAL, Record, TrainingRow, no_text, public

ShapeName = Literal["rows", "prompt-completion", "preference", "kto", "openai-chat"]
Clean = Callable[[TrainingRow], TrainingRow]

LOW_QUALITY = "low_quality"
NOTHING_KNOWN = "nothing_known"


class Shape(Protocol):
    """Takes rows in their order and gives records."""

    def feed(self, rows: Sequence[TrainingRow]) -> list[Record]: ...
    def finish(self) -> list[Record]:
        """What was held back until nothing more came."""
        ...


class Mapped:
    """A shape in which each row is one record or none."""

    def __init__(
        self,
        reason: Callable[[TrainingRow], str | None],
        record: Callable[[TrainingRow], Record],
        clean: Clean,
        report: Report,
    ) -> None:
        """`reason` says why a row is no record; only those that are one are redacted."""
        self._reason, self._record = reason, record
        self._clean, self._report = clean, report

    def feed(self, rows: Sequence[TrainingRow]) -> list[Record]:
        records: list[Record] = []
        for row in rows:
            if (reason := self._reason(row)) is not None:
                self._report.skipped[reason] += 1
            else:
                records.append(self._record(self._clean(row)))
        return records

    def finish(self) -> list[Record]:
        return []


def shape_of(
    name: ShapeName, clean: Clean, report: Report, min_quality: float | None = None
) -> Shape:
    """The shape of that name. `min_quality` is asked of `prompt-completion` only."""
    match name:
        case "preference":
            return Preference(clean, report)
        case "rows":
            return Mapped(lambda _: None, public, clean, report)
        case "prompt-completion":
            return Mapped(_not_good(min_quality), _prompt_completion, clean, report)
        case "kto":
            return Mapped(_not_judged, _kto, clean, report)
        case "openai-chat":
            return Mapped(no_text, _openai_chat, clean, report)


def _not_good(least: float | None) -> Callable[[TrainingRow], str | None]:
    def reason(row: TrainingRow) -> str | None:
        is_good = row.quality > NEUTRAL if least is None else row.quality >= least
        return no_text(row) or (None if is_good else LOW_QUALITY)

    return reason


def _not_judged(row: TrainingRow) -> str | None:
    return no_text(row) or (NOTHING_KNOWN if row.quality == NEUTRAL else None)


def _prompt_completion(row: TrainingRow) -> Record:
    return {"prompt": messages(row.input or ""), "completion": [answer(row.output or "")]}


def _kto(row: TrainingRow) -> Record:
    return {**_prompt_completion(row), "label": row.quality > NEUTRAL}


def _openai_chat(row: TrainingRow) -> Record:
    # Earlier answers of the conversation are context: nobody judged them, and without a weight
    # they would be trained on.
    context = [
        {**turn, "weight": 0} if turn["role"] == "assistant" else turn
        for turn in messages(row.input or "")
    ]
    said = {**answer(row.output or ""), "weight": int(row.quality > NEUTRAL)}
    return {"messages": [*context, said]}
