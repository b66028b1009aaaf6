"""The auditor finds nothing wrong with Assay, and something with every bug that we know to make."""

from pathlib import Path

import pytest

from tests.faults.books import Finding
from tests.faults.duo import staged
from tests.faults.mutants import MUTANTS, OF_ABTEST, ON_A_CLUSTER
from tests.faults.plays import PLAY
from tests.support.amounts import amount
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(180)]

# What each bug needs to show itself: a scenario, and the crash point where there is one.
SCENARIOS = {
    "acknowledged_first": ("crash", "postgres.before_begin"),
    "begun_at_the_latest": ("plain", ""),
    "default_parser": ("plain", ""),
    "swallowed_exception": ("plain", ""),
    "no_fence_in_redis": ("zombie", "redis.before_apply"),
    "position_apart_from_cells": ("crash", "redis.after_apply"),
    "position_before_rows": ("crash", "postgres.in_transaction"),
    "position_after_rows": ("crash", "postgres.in_transaction"),
    "repeats_counted": ("plain", ""),
    "reuse_unnoticed": ("plain", ""),
    "minutes_from_input": ("plain", ""),
    "never_sought": ("emptied", ""),
    "rebuilt_at_another_cut": ("emptied", ""),
    "poison_dropped": ("plain", ""),
    "tenants_mixed": ("plain", ""),
    "hours_forgotten": ("plain", ""),
    "feedback_joined_again": ("plain", ""),
    "alert_evaluated_twice": ("alerted", "alerts.before_change"),
}
STAND_STILL = {"default_parser"}
# `make test` leaves these to `make faults`: others of their kind are found by the same means.
SELDOM = {
    "begun_at_the_latest",
    "default_parser",
    "feedback_joined_again",
    "minutes_from_input",
    "reuse_unnoticed",
}
CHOSEN = sorted(SCENARIOS if amount() else SCENARIOS.keys() - SELDOM)
# Each kind of scenario, at one of its points: without a bug nothing may be found.
RIGHT = sorted({scenario: (scenario, point) for scenario, point in SCENARIOS.values()}.values())


@pytest.mark.parametrize(("scenario", "point"), RIGHT)
async def test_assay_itself_passes(
    scenario: str,
    point: str,
    kafka_bootstrap: str,
    fresh_prefix: str,
    fresh_database: str,
    redis_url: str,
    tmp_path: Path,
) -> None:
    async with staged(
        "none", kafka_bootstrap, fresh_prefix, fresh_database, redis_url, tmp_path
    ) as stage:
        await PLAY[scenario](stage, point)
        assert await stage.auditor.verdict() == []
        assert all(victim.alive for victim in stage.victims.values())


@pytest.mark.parametrize("mutant", CHOSEN)
async def test_a_bug_is_noticed(
    mutant: str,
    kafka_bootstrap: str,
    fresh_prefix: str,
    fresh_database: str,
    redis_url: str,
    tmp_path: Path,
) -> None:
    scenario, point = SCENARIOS[mutant]
    async with staged(
        mutant, kafka_bootstrap, fresh_prefix, fresh_database, redis_url, tmp_path
    ) as stage:
        await PLAY[scenario](stage, point)

        async def noticed() -> list[Finding]:
            found = await stage.auditor.verdict(12)
            # To be slow is no bug: only what stands still for good may be noticed by that.
            if scenario == "alerted":
                found = [one for one in found if "alert" in one.text]
            kinds = {one.kind for one in found}
            return found if kinds - {"behind"} or (kinds and mutant in STAND_STILL) else []

        # Some bugs show themselves only a moment after all has been consumed.
        found = await eventually(noticed, why=f"{mutant} is noticed", deadline_s=40)
        print(f"{mutant}: {found[0].text}")


def test_every_bug_has_its_scenario() -> None:
    """Those that only brokers can show are played by `tests/cluster/test_acks.py`."""
    elsewhere = ON_A_CLUSTER | OF_ABTEST
    assert not SCENARIOS.keys() & elsewhere
    assert SCENARIOS.keys() > SELDOM
    assert SCENARIOS.keys() | elsewhere == MUTANTS.keys() - {"none"}
    assert len(MUTANTS) > 12
