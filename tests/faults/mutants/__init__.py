"""Assay with one bug each: what the auditor must notice."""

from tests.faults.mutants import live, reading, stored, telling
from tests.faults.mutants.register import MUTANTS

__all__ = ["MUTANTS", "ON_A_CLUSTER", "live", "reading", "stored", "telling"]

# One broker alone has no followers whose word could be missing.
ON_A_CLUSTER = {"acks_1"}
