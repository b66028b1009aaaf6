"""The validity proofs in full: how often decisions on equal arms are wrong, in shares of runs.

The simulations are those of the unit tests (tests/support/validity.py), which play few runs.
"""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.support import decisions
from tests.support import validity as simulated
from tests.support.chance import ONE_VALUE
from tests.support.decisions import World
from tests.support.shards import shards
from tests.support.splits import split
from tests.support.validity import Shares

RUNS = 2_000
SEED = 20_261_128
EVERY_PAIR = ("bernoulli 0.9", "bernoulli 0.02", "lognormal 1.5")
# What one look finds in 80 % of runs: 2.8016 SE of a normal of deviation 20, 10,000 units an arm.
EFFECT = 2.8016 * 20 * (2 / 10_000) ** 0.5
OF_A_RATE = 2.8016 * (2 * 0.9 * 0.1 / 10_000) ** 0.5
WORLDS = {
    "V5 verdicts 1.0 x": World(effect=OF_A_RATE, guarded=False),
    "V5 verdicts 1.5 x": World(effect=1.5 * OF_A_RATE, guarded=False),
    "V9 planned": World(),
    "V9 always valid": World(planned=None),
    "V9 by ratings": World(primary="rating"),
    "V9 5 % lost": World(loss=0.05, units=56_000),
}
Simulations = dict[str, Callable[[], Shares]]


def simulations(runs: int = RUNS, seed: int = SEED) -> Simulations:
    """Every simulation; names begin with the proof, V1 to V10. The longest come first."""
    found: Simulations = {
        label: partial(decisions.verdicts, runs, seed, world) for label, world in WORLDS.items()
    }
    for name in ONE_VALUE:
        found[f"V1 {name}"] = partial(simulated.peeking, name, runs, seed)
    for name in EVERY_PAIR:
        found[f"V2 {name}"] = partial(simulated.every_pair, name, runs, seed)
    clustered = partial(simulated.clustered, runs, seed)
    found["V3 users"] = partial(clustered, heavy=False)
    found["V3 heavy users"] = partial(clustered, heavy=True)
    for units in (20, 50):
        found[f"V4 {units} users"] = partial(clustered, heavy=False, units=units)
    for times in (1.0, 1.5):
        peeking = partial(simulated.peeking, "normal", runs, seed, looks=28)
        found[f"V5 {times} x"] = partial(peeking, effect=times * EFFECT)
    return found | {
        "V1 two epochs": partial(decisions.changed_weights, runs, seed),
        "V3 one user of 90 %": partial(decisions.dominated, runs, seed),
        "V4 coverage": partial(decisions.coverage, runs, seed),
        "V4 p95": partial(simulated.percentile, runs, seed),
        "V6 as promised": partial(simulated.split_mismatch, 2 * runs, seed),
        "V6 5 % lost": partial(simulated.split_mismatch, 2 * runs, seed, loss=0.05),
        "V7 split": partial(split, runs // 10, 10 * runs),
        "V8 shards": partial(shards, 100_000, seed),
        "V10 adjusted": partial(simulated.cuped_peeking, runs, seed),
        "margin": partial(simulated.at_the_margin, runs, seed),
    }


def validity(runs: int = RUNS, seed: int = SEED, told: Callable[[str], None] = print) -> Shares:
    """Play all, a process a core; `told` hears of each that is done."""
    found: Shares = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        playing = {name: pool.submit(play) for name, play in simulations(runs, seed).items()}
        for name, future in playing.items():
            found |= {f"{name}: {what}": share for what, share in future.result().items()}
            told(name)
    return found
