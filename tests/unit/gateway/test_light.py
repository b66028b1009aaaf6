"""The gateway stays light: what takes seconds to load is loaded by the process that reckons."""

import subprocess
import sys

HEAVY = ("scipy.stats", "scipy.optimize", "statsmodels", "sklearn", "shared.experiments.planner")
LOADED = f"import services.gateway.app, sys; print([n for n in {HEAVY} if n in sys.modules])"


def test_heavy_statistics_are_not_loaded_with_it() -> None:
    found = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
