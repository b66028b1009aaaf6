"""Assigns units for a client, and remembers who was told of."""

from collections.abc import Callable
from typing import Any

from assay_sdk.assignment import Experiment, Variant, assign, is_unit, placed
from assay_sdk.events import Given
from assay_sdk.experiments import Experiments
from assay_sdk.outcome import Counters

MOST_SHOWN = 50_000
DEFAULT = "default"


class Assigner:
    """Computes assignments here; the gateway is asked for the tests alone."""

    def __init__(
        self,
        record: Callable[[str, dict[str, Any]], None],
        counters: Counters,
        experiments: Experiments | None,
    ) -> None:
        self._record = record
        self._counters = counters
        self._experiments = experiments
        self._shown: set[tuple[Any, Any, Any]] = set()

    def find(self, name: str, wait_s: float) -> Experiment | None:
        """A test by its key or id, as far as the gateway told."""
        found = self._experiments and self._experiments.find(name, wait_s)
        if found is None:
            self._counters.add("default_assignments")
        return found or None

    def is_waiting(self) -> bool:
        """Whether looking for a test may take a while."""
        return self._experiments is not None and not self._experiments.is_known()

    def assign(self, experiment: Experiment, unit_id: str, *, expose: bool) -> tuple[Variant, bool]:
        """The unit's variant and whether it takes part; a unit that does is told of, once."""
        if not is_unit(unit_id):
            self._counters.add("unfit_units")
            unit_id = ""
        variant, takes_part = assign(experiment, unit_id)
        if expose and takes_part and experiment.test_id:
            self._expose(experiment, experiment.test_id, unit_id, variant.key)
        return variant, takes_part

    def forget(self, lost: Given) -> None:
        """An exposure that nobody will hear of is to be told at the unit's next evaluation."""
        if lost.kind == "exposures":
            said = lost.fields
            self._shown.discard((said.get("test_id"), said.get("unit_id"), said.get("variant")))

    def begin_anew(self) -> None:
        """In a child process: whether its parent's exposures arrive it will not hear."""
        self._shown.clear()
        if self._experiments is not None:
            self._experiments.begin_anew()

    def _expose(self, experiment: Experiment, test_id: str, unit_id: str, variant: str) -> None:
        shown = (test_id, unit_id, variant)
        if shown in self._shown:
            return
        if len(self._shown) >= MOST_SHOWN:
            self._shown.clear()  # a unit that is told of again still counts once
        self._shown.add(shown)
        at = placed(experiment, unit_id)
        said = {"test_id": test_id, "unit_id": unit_id, "variant": variant}
        self._record("exposures", said | {"epoch": at and at[1]})
