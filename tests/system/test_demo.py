"""`assay demo` as a person runs it, twice on the same data."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.system.running import ASSAY, ROOT

PREDICTIONS = 2_000
VERDICTS = {
    "COLLECTING", "BROKEN", "STOP_HARM", "SHIP", "NO_DIFFERENCE", "INCONCLUSIVE", "KEEP_RUNNING",
}  # fmt: skip


def demo(folder: Path) -> dict[str, Any]:
    """Its numbers, once it has left of its own accord."""
    summary = folder / "summary.json"
    summary.unlink(missing_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
    done = subprocess.run(
        [
            *(*ASSAY, "demo", "--exit", "--predictions", str(PREDICTIONS)),
            *("--data-dir", str(folder / "data"), "--summary", str(summary)),
        ],
        env=clean | {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(summary.read_text()))


def test_every_number_adds_up_also_of_a_second_run_on_the_same_data(tmp_path: Path) -> None:
    first, second = demo(tmp_path), demo(tmp_path)
    for summary in (first, second):
        assert summary["mismatches"] == 0, summary["problems"]
        assert summary["published"] == summary["accepted"] > 2 * PREDICTIONS
        assert summary["feedback"] == PREDICTIONS
        assert summary["training_examples"] == PREDICTIONS + summary["corrections"]
        assert 0 < summary["preference_pairs"] <= summary["corrections"]
        assert summary["postgres_operations"] == summary["redis_operations"] >= PREDICTIONS
        assert len(summary["experiments"]) == 1
        assert set(summary["experiments"].values()) <= VERDICTS - {"BROKEN", "STOP_HARM"}
    assert first["experiments"].keys().isdisjoint(second["experiments"])
