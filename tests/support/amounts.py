"""How much a fault test does: a little in `make test`, all in `make faults`, more at night."""

import os

MAKE_TEST, MAKE_FAULTS, NIGHTLY = range(3)


def amount() -> int:
    """Which of three amounts is meant."""
    if os.environ.get("NIGHTLY"):
        return NIGHTLY
    return MAKE_FAULTS if os.environ.get("ASSAY_FAULTS") else MAKE_TEST
