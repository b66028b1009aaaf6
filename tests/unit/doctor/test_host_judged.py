"""Clocks, disks, ports, settings, and servers that nobody could look at."""

import pytest

from deploy.doctor.facts import (
    ClockFacts,
    DiskFacts,
    PortFacts,
    SettingsFacts,
    Unseen,
    Why,
)
from deploy.doctor.finding import Level
from deploy.doctor.judging.clocks import judge_clock
from deploy.doctor.judging.host import GIB, MIB, judge_disk, judge_port
from deploy.doctor.judging.kafka import judge_kafka
from deploy.doctor.judging.postgres import judge_postgres
from deploy.doctor.judging.redis import judge_redis
from deploy.doctor.judging.settings import judge_settings
from tests.unit.doctor.healthy import OPERATIONS, ROLES, WANTED, kafka, only, postgres, redis

F, W, U = Level.FAIL, Level.WARN, Level.UNSEEN


def test_nothing_is_wrong_with_what_is_healthy() -> None:
    findings = [
        *judge_kafka(kafka(), WANTED, "operator", {OPERATIONS: "Write"}),
        *judge_postgres(postgres(), ROLES),
        *judge_redis([redis()]),
        *judge_settings(SettingsFacts()),
    ]
    bad = [one for one in findings if one.level is not Level.OK]
    assert [one.name for one in bad] == ["postgres disk"]  # on another machine


@pytest.mark.parametrize(
    ("ahead_s", "within_s", "level"),
    [
        (1.9, 0.0, Level.OK),
        (-2.1, 0.0, W),
        (29.9, 0.0, W),
        (-30.1, 0.0, F),
        (3.0, 2.0, Level.OK),  # a slow way is no clock
        (40.0, 15.0, W),
    ],
)
def test_only_what_is_sure_is_held_against_a_clock(
    ahead_s: float, within_s: float, level: Level
) -> None:
    assert judge_clock("redis", ClockFacts(ahead_s, within_s)).level is level


@pytest.mark.parametrize(
    ("disk", "level", "word"),
    [
        (DiskFacts("/d", 0, GIB), F, "disk full"),
        (DiskFacts("/d", 511 * MIB, 100 * GIB), F, "disk full"),
        (DiskFacts("/d", GIB, 100 * GIB), W, "1.0 GiB of 100.0 GiB"),
        (DiskFacts("/d", 50 * GIB, 100 * GIB, free_files=3), F, "3 files"),
        (DiskFacts("/d", 50 * GIB, 100 * GIB, writable=False), W, "may not write"),
        (DiskFacts("/d", 2 * GIB, 100 * GIB), Level.OK, "2.0 GiB"),
    ],
)
def test_room_on_a_disk(disk: DiskFacts, level: Level, word: str) -> None:
    found = judge_disk("data folder", disk)
    assert (found.level, word in found.seen) == (level, True)


@pytest.mark.parametrize(
    ("port", "level", "word"),
    [
        (PortFacts("h:1", free=True), Level.OK, "is free"),
        (PortFacts("h:1", free=False), F, "taken by another program"),
        (PortFacts("h:1", free=False, program="nginx, pid 3"), F, "(nginx, pid 3)"),
        (PortFacts("h:1", free=False, waits_for=()), Level.OK, "ready"),
        (PortFacts("h:1", free=False, waits_for=("kafka: away",)), W, "kafka: away"),
        (PortFacts("h:1", free=True, expected=True), W, "no gateway answers"),
    ],
)
def test_whose_the_port_is(port: PortFacts, level: Level, word: str) -> None:
    found = judge_port(port)
    assert (found.level, word in found.seen) == (level, True)
    assert (found.then is None) == (level is Level.OK)


@pytest.mark.parametrize("why", Why)
def test_a_server_that_could_not_be_seen_is_one_failure(why: Why) -> None:
    facts = Unseen(why, "what was said")
    for findings in (
        judge_kafka(facts, WANTED, "operator", {}),
        judge_postgres(facts, ROLES),
        judge_redis(facts),
    ):
        first, *others = findings
        assert (first.level, first.seen, bool(first.then)) == (F, "what was said", True)
        assert {one.level for one in others} == {U}


def test_settings_that_are_wrong_or_misspelt() -> None:
    found = judge_settings(SettingsFacts(wrong=("ASSAY_A is wrong", "ASSAY_B is wrong")))
    only(found, F, "settings", "ASSAY_A", "ASSAY_B", "docs/configuration.md")
    found = judge_settings(SettingsFacts(unknown={"ASSAY_X": "ASSAY_Y", "ASSAY_Z": None}))
    only(found, W, "settings unknown", "ASSAY_X (did you mean ASSAY_Y?)", "ASSAY_Z")
    only(judge_settings(SettingsFacts(no_audit_key="there is no audit key")), W, "audit key")
