"""Assay with one bug each: what the auditor must notice."""

from tests.faults.mutants import live, reading, stored
from tests.faults.mutants.register import MUTANTS

__all__ = ["MUTANTS", "live", "reading", "stored"]
