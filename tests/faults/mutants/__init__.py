"""Assay with one bug each: what the auditor must notice."""

from tests.faults.mutants import experiments, live, reading, stored, telling
from tests.faults.mutants.register import MUTANTS

__all__ = [
    "MUTANTS",
    "OF_ABTEST",
    "ON_A_CLUSTER",
    "experiments",
    "live",
    "reading",
    "stored",
    "telling",
]

# One broker alone has no followers whose word could be missing.
ON_A_CLUSTER = {"acks_1"}
# Played by test_experiment_mutants.py.
OF_ABTEST = {"sums_added_again", "feedback_not_awaited", "step_apart_from_results"}
