"""What somebody wants exported, and how the file is announced."""

import re
from typing import Any, NamedTuple
from uuid import UUID

from services.gateway.domain.problems import Problem, at_odds, wrong_field
from shared.training.filters import RowFilters
from shared.training.formats.choice import FILE_TYPES, FormatName
from shared.training.shapes import ShapeName

NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
MOST_OF_NAME = 100


class Wanted(NamedTuple):
    """An export: which rows, as what."""

    filters: RowFilters
    dataset_id: UUID | None = None
    shape: ShapeName = "rows"
    format: FormatName = "jsonl"
    is_redacted: bool = True

    @property
    def by_input(self) -> bool:
        """Whether rows of one input must stand together."""
        return self.shape == "preference"


def check(wanted: Wanted) -> None:
    """Refuse filters beside a dataset, which was filtered when it was made."""
    if wanted.dataset_id is None:
        return
    others = wanted.filters.model_dump(by_alias=True, exclude_none=True, exclude={"split"})
    if others:
        raise at_odds("dataset", min(others), "a dataset's rows are fixed; only split may be asked")


def check_frozen(dataset: Any) -> None:
    """Refuse a dataset that has no rows yet, or never will."""
    if dataset["state"] != "frozen":
        said = {
            "freezing": "The dataset is being frozen; come back when its state is frozen.",
            "failed": "The dataset could not be frozen; make another.",
        }
        raise Problem("conflict", said[dataset["state"]])


def file_name(wanted: Wanted, dataset: Any = None) -> str:
    """ASCII without spaces or quotes, whatever the dataset is called."""
    of = "training-data"
    if dataset is not None:
        plain = NOT_IN_NAMES.sub("-", dataset["name"])[:MOST_OF_NAME].strip("-.") or "dataset"
        of = f"{plain}-v{dataset['version']}"
    split = f"-{wanted.filters.split}" if wanted.filters.split else ""
    return f"{of}-{wanted.shape}{split}{FILE_TYPES[wanted.format].suffix}"


def not_here(error: Exception) -> Problem:
    """A format that this installation cannot write."""
    return wrong_field("format", str(error))
