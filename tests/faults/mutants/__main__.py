"""`python -m tests.faults.mutants NAME SERVICE`: a service with that bug ("none": without).

Live cells are not compared by themselves here: that would mend what the auditor should find.
"""

import importlib
import sys

from services.metrics import ticker
from tests.faults.mutants import MUTANTS


def main() -> None:
    """Run it."""
    name, service = sys.argv[1:]
    ticker.COMPARE_EVERY_S = 86_400.0
    MUTANTS[name]()
    importlib.import_module(f"services.{service}.__main__").main()


if __name__ == "__main__":
    main()
