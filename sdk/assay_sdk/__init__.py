"""Assay's client for agents: operations and feedback, out of the way of what they describe."""

from assay_sdk.assignment import Epoch, Experiment, Variant, assign
from assay_sdk.client import Assay
from assay_sdk.operation import Operation
from assay_sdk.outcome import Counters, FlushResult

__all__ = [
    "Assay",
    "Counters",
    "Epoch",
    "Experiment",
    "FlushResult",
    "Operation",
    "Variant",
    "assign",
]
