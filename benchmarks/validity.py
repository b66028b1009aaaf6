"""The validity proofs in full: how often decisions on equal arms are wrong, in shares of runs.

The simulations are those of the unit tests (tests/support/validity.py), which play few runs.
"""

from tests.support import decisions
from tests.support import validity as simulated
from tests.support.chance import ONE_VALUE
from tests.support.decisions import World
from tests.support.shards import shards
from tests.support.validity import Shares

RUNS = 2_000
LIVES = 500
"""Of whole tests: each of their 28 looks takes milliseconds."""
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


def validity(runs: int = RUNS, seed: int = SEED) -> Shares:
    """Every simulation; names are those of the proofs, V1 to V10."""
    found: dict[str, Shares] = {}
    for name in ONE_VALUE:
        found[f"V1 {name}"] = simulated.peeking(name, runs, seed)
    for name in EVERY_PAIR:
        found[f"V2 {name}"] = simulated.every_pair(name, runs, seed)
    for heavy in (False, True):
        label = "V3 heavy users" if heavy else "V3 users"
        found[label] = simulated.clustered(runs, seed, heavy=heavy)
    found["V1 two epochs"] = decisions.changed_weights(runs, seed)
    found["V3 one user of 90 %"] = decisions.dominated(runs, seed)
    for units in (20, 50):
        found[f"V4 {units} users"] = simulated.clustered(runs, seed, heavy=False, units=units)
    found["V4 coverage"] = decisions.coverage(runs, seed)
    found["V4 p95"] = simulated.percentile(runs, seed)
    for times in (1.0, 1.5):
        effect = times * EFFECT
        found[f"V5 {times} x"] = simulated.peeking("normal", runs, seed, looks=28, effect=effect)
    found["V6 as promised"] = simulated.split_mismatch(2 * runs, seed)
    found["V6 5 % lost"] = simulated.split_mismatch(2 * runs, seed, loss=0.05)
    found["at the margin"] = simulated.at_the_margin(runs, seed)
    found["V8"] = shards(100_000, seed)
    found["V10"] = simulated.cuped_peeking(runs, seed)
    for label, world in WORLDS.items():
        found[label] = decisions.verdicts(min(runs, LIVES), seed, world)
    return {
        f"{proof}: {what}": share
        for proof, shares in found.items()
        for what, share in shares.items()
    }
