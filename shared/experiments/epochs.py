"""How a test's epochs come about: whom it takes at its start, and what may change afterwards.

A change of weights is for units that no epoch has reached yet, so it goes together with wider
traffic. Taking a variant out (weight 0) is the one change that moves units: those who had it.
Narrower traffic takes units out of the test; widened again, it takes the same ones back first,
each with the variant that it had.

Tests of one exclusion group divide the 10,000 buckets of the group's layer among each other.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from shared.experiments.assignment import BUCKETS, Epoch, Place, Weight, edges, rounded
from shared.experiments.config import ExperimentConfig
from shared.experiments.lifecycle import NotNowError

MOST_EPOCHS = 100
LEAST_SHARE = 1 / BUCKETS
AFTER_THE_LAST = timedelta(microseconds=1)


class NobodyError(Exception):
    """A share that comes to no bucket: its field, and in words what to give it instead."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def next_instant(now: datetime, last_step: datetime | None, epochs: Sequence[Epoch]) -> datetime:
    """When a change holds from: now, but after all that was before it in the test's life.

    The order of steps and epochs is that of their times, and the clocks of two hosts differ. Who
    asks has locked the test, and read its last step since.
    """
    before = [epochs[-1].since] if epochs else []
    if last_step is not None:
        before.append(last_step)
    return max([now, *(at + AFTER_THE_LAST for at in before)])


def first_epoch(
    config: ExperimentConfig, salt: str, taken: Iterable[Place], since: datetime
) -> Epoch:
    """A test's beginning; `taken` is what others of its exclusion group hold."""
    without = ", ".join(_without_bucket(config))
    if without:
        raise NobodyError(
            "variants", f"{without} would be given to nobody: weights begin at {LEAST_SHARE}"
        )
    places = _places(config, (), taken)
    return Epoch(1, f"{salt}.1", _weights(config), config.traffic, places, since)


def next_epoch(
    config: ExperimentConfig,
    epochs: Sequence[Epoch],
    salt: str,
    taken: Iterable[Place],
    since: datetime,
) -> Epoch:
    """What holds from now on: `config` says the new weights and traffic."""
    if len(epochs) >= MOST_EPOCHS:
        raise NotNowError(f"A test is changed at most {MOST_EPOCHS} times; make a new one.")
    number, weights, before = len(epochs) + 1, _weights(config), epochs[-1]
    _check_weights(config)
    places = _places(config, epochs, taken)
    reached = {at for epoch in epochs for at in _buckets(epoch.places)}
    is_wider = not reached.issuperset(_buckets(places))
    takes_out = any(
        one.weight and new.weight == 0 for one, new in zip(before.weights, weights, strict=True)
    )
    if weights != before.weights and not is_wider and not takes_out:
        raise NotNowError(
            "New weights are for units that the test has not reached yet, since none may change "
            f"its variant, and it has reached {len(reached) / BUCKETS:.4g} of all: widen the "
            "traffic with them, take a variant out by weight 0, or stop it and start a new test."
        )
    return Epoch(number, f"{salt}.{number}", weights, config.traffic, places, since)


def _check_weights(config: ExperimentConfig) -> None:
    """Whoever is not taken out gets somebody, and the control is not taken out."""
    without, control = _without_bucket(config), config.control.key
    if control in without:
        raise NobodyError(
            "variants",
            f"{control} is what others are compared with: give it a weight of {LEAST_SHARE} or "
            "more",
        )
    small = ", ".join(key for key in without if config.weights[key])
    if small:
        raise NobodyError(
            "variants",
            f"{small} would be given to nobody: give it a weight of {LEAST_SHARE} or more, or 0, "
            "which takes it out",
        )


def _without_bucket(config: ExperimentConfig) -> list[str]:
    """Variants that no unit would get."""
    ends = pairwise([0, *edges(list(config.weights.values()))])
    return [key for key, (start, end) in zip(config.weights, ends, strict=True) if start == end]


def _weights(config: ExperimentConfig) -> tuple[Weight, ...]:
    return tuple(Weight(one.key, one.weight) for one in config.variants)


def _places(
    config: ExperimentConfig, epochs: Sequence[Epoch], taken: Iterable[Place]
) -> tuple[Place, ...]:
    """Buckets for the wanted traffic: first those that the test had before, oldest first."""
    wanted, busy = rounded(config.traffic), set(_buckets(taken))
    if config.traffic and not wanted:
        raise NobodyError(
            "traffic",
            f"it would reach nobody: give {LEAST_SHARE} or more, or 0 for a test that is to wait",
        )
    own = [at for epoch in epochs for at in _buckets(epoch.places)]
    order = [at for at in dict.fromkeys([*own, *range(BUCKETS)]) if at not in busy]
    if wanted > len(order):
        raise NotNowError(
            f"Of the exclusion group {config.exclusion_group!r}, {len(order) / BUCKETS:.4g} of all "
            f"units are free, and traffic asks for {config.traffic:.4g}: ask for less, or stop "
            "another test of the group."
        )
    return _ranges(sorted(order[:wanted]))


def _buckets(places: Iterable[Place]) -> Iterable[int]:
    return (at for start, end in places for at in range(start, end))


def _ranges(buckets: Sequence[int]) -> tuple[Place, ...]:
    """Sorted buckets as places."""
    runs = groupby(enumerate(buckets), key=lambda pair: pair[1] - pair[0])
    found = [[at for _, at in run] for _, run in runs]
    return tuple((run[0], run[-1] + 1) for run in found)
