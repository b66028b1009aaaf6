"""A status over time: worse at the second look, better after a minute, and it does not flap."""

import random
from collections import Counter, deque

from shared.health.judging import NO_STATES, States, Verdict, judge
from shared.health.settling import CALM_S, Held, Opinion, entered_anew, settle
from shared.measures import sketch
from shared.measures.cells import Cell, add_into, merged
from shared.views import Health

LOOK_S = 4.0
FAST = f"d:{sketch.key_of(100)}"


class Life:
    """A part that is looked at again and again."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.held: Held | None = None
        self.opinion: Opinion | None = None

    @property
    def states(self) -> States:
        return self.held.states if self.held else NO_STATES

    def look(self, status: Health, times: int = 1) -> Health | None:
        for _ in range(times):
            self.see(Verdict(status, [status.value], []))
        return self.held.status if self.held else None

    def see(self, verdict: Verdict) -> bool:
        """One look; whether the status changed."""
        before = self.held.since if self.held else None
        self.held, self.opinion = settle(self.held, self.opinion, verdict, self.now)
        self.now += LOOK_S
        return self.held is not None and self.held.since != before


def test_the_first_look_is_believed_unless_it_is_bad() -> None:
    assert Life().look(Health.GOOD) is Health.GOOD
    life = Life()
    assert life.look(Health.CRITICAL) is None
    assert life.look(Health.CRITICAL) is Health.CRITICAL
    hasty = Life()
    hasty.look(Health.CRITICAL)
    assert hasty.look(Health.GOOD) is Health.GOOD


def test_it_turns_worse_at_the_second_look_in_a_row() -> None:
    life = Life()
    life.look(Health.GOOD)
    assert life.look(Health.DEGRADED) is Health.GOOD
    assert life.look(Health.GOOD) is Health.GOOD
    assert life.look(Health.DEGRADED) is Health.GOOD
    assert life.look(Health.CRITICAL) is Health.CRITICAL
    assert life.held is not None
    assert life.held.since == life.now - LOOK_S
    assert life.held.reasons == ("critical",)


def test_it_turns_better_after_a_minute_of_nothing_else() -> None:
    life = Life()
    life.look(Health.CRITICAL, 2)
    looks = int(CALM_S / LOOK_S)
    assert life.look(Health.GOOD, looks) is Health.CRITICAL
    life.look(Health.CRITICAL)
    assert life.look(Health.GOOD, looks) is Health.CRITICAL
    assert life.look(Health.GOOD) is Health.GOOD


def test_it_turns_into_the_worst_that_was_said_in_that_minute() -> None:
    life = Life()
    life.look(Health.CRITICAL, 2)
    for _ in range(8):
        life.look(Health.DEGRADED)
        life.look(Health.GOOD)
    assert life.held is not None
    assert (life.held.status, life.held.reasons) == (Health.DEGRADED, ("degraded",))
    life.look(Health.GOOD, 16)
    assert life.look(Health.GOOD) is Health.GOOD


def test_what_was_better_than_that_worst_is_still_being_looked_at() -> None:
    """Whoever only looks at what moved, or is undecided, would leave a calm model where it is."""
    life = Life()
    life.look(Health.CRITICAL, 2)
    life.look(Health.GOOD)  # the beginning of a batch
    looks = 0
    while life.opinion is not None and looks < 100:
        life.look(Health.EXCELLENT)
        looks += 1
    assert life.held is not None
    assert life.held.status is Health.EXCELLENT
    assert looks == 2 * int(CALM_S / LOOK_S)


def test_what_becomes_known_is_known_at_the_second_look() -> None:
    life = Life()
    life.look(Health.UNKNOWN)
    assert life.look(Health.EXCELLENT) is Health.UNKNOWN
    assert life.look(Health.EXCELLENT) is Health.EXCELLENT


def test_one_bad_look_is_never_enough() -> None:
    life = Life()
    life.look(Health.UNKNOWN)
    life.look(Health.GOOD)
    assert life.look(Health.CRITICAL) is Health.UNKNOWN
    assert life.look(Health.CRITICAL) is Health.CRITICAL


def test_an_opinion_that_was_kept_after_all_is_forgotten() -> None:
    life = Life()
    life.look(Health.CRITICAL, 2)
    life.opinion = Opinion(Health.CRITICAL, ("critical",), life.now - LOOK_S)
    assert life.look(Health.GOOD, int(CALM_S / LOOK_S)) is Health.CRITICAL
    assert life.look(Health.GOOD) is Health.GOOD


def test_what_becomes_unknown_stays_for_a_minute() -> None:
    life = Life()
    life.look(Health.GOOD)
    assert life.look(Health.UNKNOWN, 15) is Health.GOOD
    assert life.look(Health.UNKNOWN) is Health.UNKNOWN


def test_a_change_is_later_than_the_one_before_whatever_clocks_say() -> None:
    life = Life()
    life.look(Health.GOOD)
    before = life.held
    life.now -= 1_000
    life.look(Health.CRITICAL, 2)
    assert before is not None
    assert life.held is not None
    assert life.held.status is Health.CRITICAL
    assert life.held.since > before.since


def test_by_other_limits_it_is_something_else_at_once() -> None:
    held = Held(Health.CRITICAL, 100.0, ("Old.",))
    good = Verdict(Health.GOOD, ["New."], [])
    assert entered_anew(held, good, 105.0) == Held(Health.GOOD, 105.0, ("New.",), {})
    same = Verdict(Health.CRITICAL, ["New."], [])
    assert entered_anew(held, same, 105.0) == Held(Health.CRITICAL, 100.0, ("New.",), {})


def test_a_sample_that_wanders_between_windows_does_not_flap() -> None:
    """An outage of ten minutes is still in the hour when the quarter holds now 26, now 24."""
    chance = random.Random(3)
    for per_minute in (1.5, 1.7, 1.9):
        life, changes = Life(), 0
        minutes: deque[Cell] = deque(maxlen=60)
        for minute in range(120):
            n = sum(chance.random() < per_minute / 60 for _ in range(60))
            bad = n if 50 <= minute < 60 else 0
            minutes.append({"n": n, "ok": n - bad, FAST: n})
            spans = {"5m": 5, "15m": 15, "1h": 60}
            cells = {name: merged(list(minutes)[-span:]) for name, span in spans.items()}
            for _ in range(int(60 / LOOK_S)):
                changes += life.see(judge(cells, held=life.states))
        assert changes <= 8, f"{changes} changes at {per_minute} a minute"


def test_a_model_at_the_very_limit_does_not_flap() -> None:
    """12 hours at a failure rate that is the limit itself, 100 operations a minute."""
    chance = random.Random(7)
    life, naive, changes = Life(), Health.UNKNOWN, Counter[str]()
    window: deque[Cell] = deque(maxlen=75)  # 5 minutes of looks
    total: Cell = {}
    for _ in range(int(12 * 3600 / LOOK_S)):
        n = 7
        cell = {"n": n, "ok": sum(chance.random() >= 0.08 for _ in range(n)), FAST: n}
        if len(window) == window.maxlen:
            add_into(total, window[0], -1)
        window.append(cell)
        add_into(total, cell)
        plain = judge({"5m": total}).status
        changes["judged afresh"] += plain is not naive
        naive = plain
        changes["settled"] += life.see(judge({"5m": total}, held=life.states))
    print(f"changes in 12 hours: {dict(changes)}")
    assert changes["settled"] * 10 < changes["judged afresh"]
