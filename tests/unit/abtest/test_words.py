"""The sentences, whole: they are what people act on."""

import math

import pytest

from services.abtest.domain.state import ArmState, TestState
from services.abtest.domain.wording import days, listed
from shared.experiments.lifecycle import State
from tests.support.abtests import arm, by_day, cost, epochs, look, mean, share, state, successes
from tests.support.experiments import config, weighted

PRIMARY = {"name": "success_rate", "role": "primary"}
LEAST = config(metrics=[PRIMARY | {"min_effect": 0.02}])
GUARDED = config(
    metrics=[
        PRIMARY,
        {"name": "response_time_ms", "role": "guardrail"},
        {"name": "rating", "role": "guardrail"},
    ]
)
THREE = config(variants=weighted(a=0.4, b=0.3, c=0.3))
TWO_MODELS = {"a": 0.5, "b": 0.5}


def full(units: int, p: float, ms: float, stars: float, rated: int | None = None) -> ArmState:
    return arm(
        units,
        {
            "success_rate": share(units, p),
            "response_time_ms": mean(units, math.log(ms), 0.5),
            "rating": mean(rated or units, stars, 0.8),
        },
    )


def single(name: str, a: object, b: object, units: int = 2_000, **settings: object) -> TestState:
    """One metric of two variants by their sums."""
    held = config(metrics=[{"name": name, "role": "primary"}], **settings)
    return state({"a": arm(units, {name: a}), "b": arm(units, {name: b})}, held)  # type: ignore[dict-item]


def three(b: float, c: float, costs: tuple[float, float] = (0.003, 0.002)) -> TestState:
    given = (("a", 2_400, 0.8, 0.001), ("b", 1_800, b, costs[0]), ("c", 1_800, c, costs[1]))
    arms = {
        key: arm(n, {"success_rate": share(n, p), "cost_usd": cost(n, usd)})
        for key, n, p, usd in given
    }
    return state(arms, THREE)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (
            state({}),
            "COLLECTING: Too early: no users yet. Check that agents ask for their variant "
            "and report their operations.",
        ),
        (
            successes((80, 0.9), (62, 0.9), run_hours=30.0, new_units=by_day(142, 5.0)),
            "COLLECTING: Too early: 62 of 100 users in b; about 9 days.",
        ),
        (
            successes((80, 0.9), (62, 0.9), state=State.PAUSED),
            "COLLECTING: Paused too early to tell: 62 of 100 users in b. Start it again to go on.",
        ),
        (
            successes((80, 0.9), (62, 0.9), state=State.STOPPED),
            "COLLECTING: Ended too early to tell: 62 of 100 users in b. Keep a, or make a "
            "new test.",
        ),
        (
            successes((80, 0.9), (62, 0.9), settings=config(unit="session_id"), new_units={}),
            "COLLECTING: Too early: 62 of 100 sessions in b. Nothing new arrives: check "
            "what is sent.",
        ),
        (
            successes((500, 1.0), (500, 1.0)),
            "COLLECTING: Too early: 0 of 10 failures seen. If that stays so, decide by "
            "another metric.",
        ),
        (
            state(
                {"a": arm(500), "b": arm(500)},
                config(metrics=[{"name": "rating", "role": "primary"}]),
            ),
            "COLLECTING: Too early: 0 of 100 users in a with a rating. Nothing new arrives:"
            " check what is sent.",
        ),
        (
            successes((3_000, 0.9), (2_500, 0.8)),
            "BROKEN: Do not use this: a got 3,000 and b got 2,500 users where 2,750 and "
            "2,750 were promised, too far apart for chance. Fix assignment or logging, then"
            " restart as a new test.",
        ),
        (
            successes((3_000, 0.9), (3_000, 0.9), multiple=100),
            "BROKEN: Do not use this: 1.6 % of users (100) saw two variants. Fix assignment"
            " or logging, then restart as a new test.",
        ),
        (
            single("rating", mean(800, 4, 1), mean(500, 4, 1)),
            "BROKEN: Do not use this: 75 % of users in b but 60 % in a have no value of "
            "rating, too far apart for chance. Fix assignment or logging, then restart as a"
            " new test.",
        ),
        (
            state({"a": arm(400), "b": arm(3)}, epochs=epochs({"a": 1.0, "b": 0.0})),
            "BROKEN: Do not use this: 3 users got b, which had no weight. Fix assignment or"
            " logging, then restart as a new test.",
        ),
        (
            successes((500, 1.0), (500, 0.0)),
            "STOP_HARM: Turn b off now: success rate 100.0 points lower (99.1 to 100.0).",
        ),
        (
            successes((3_000, 0.9), (3_000, 0.85)),
            "STOP_HARM: Turn b off now: success rate 5.0 points lower (2.4 to 7.6).",
        ),
        (
            successes((3_000, 0.9), (3_000, 0.85), state=State.STOPPED),
            "STOP_HARM: Do not ship b: success rate 5.0 points lower (2.4 to 7.6).",
        ),
        (
            state({"a": full(30_000, 0.85, 800, 4.0), "b": full(30_000, 0.9, 832, 4.0)}, GUARDED),
            "STOP_HARM: Turn b off now: response time 4.0 % slower (2.7 to 5.3 %).",
        ),
        (
            three(0.7, 0.72),
            "STOP_HARM: Turn b and c off now: b: success rate 10 points lower (6 to 14); c:"
            " success rate 8 points lower (4 to 12).",
        ),
        (
            successes((3_000, 0.85), (3_000, 0.9)),
            "SHIP: Ship b: success rate 5.0 points higher than a (2.4 to 7.6).",
        ),
        (
            state({"a": full(30_000, 0.85, 800, 4.0), "b": full(30_000, 0.9, 790, 4.1)}, GUARDED),
            "SHIP: Ship b: success rate 5.0 points higher than a (4.1 to 5.9), and every "
            "guardrail holds.",
        ),
        (
            three(0.9, 0.895),
            "SHIP: Ship c: success rate 9 points higher than a (6 to 13). b cannot be told "
            "from it; c costs less ($0.002 per operation, b $0.003).",
        ),
        (
            three(0.95, 0.85),
            "SHIP: Ship b: success rate 15 points higher than a (12 to 18).",
        ),
        (
            single("response_time_ms", mean(2_000, 6.7, 0.4), mean(2_000, 6.6, 0.4)),
            "SHIP: Ship b: response time 10 % faster than a (6 to 13 %).",
        ),
        (
            single("rating", mean(2_000, 4.0, 0.9), mean(2_000, 4.31, 0.9)),
            "SHIP: Ship b: rating 0.31 higher than a (0.22 to 0.40).",
        ),
        (
            single("cost_usd", cost(2_000, 0.002), cost(2_000, 0.0012)),
            "SHIP: Ship b: cost per operation $0.00080 lower than a ($0.00075 to $0.00085).",
        ),
        (
            successes((50_000, 0.9), (50_000, 0.901), settings=LEAST),
            "NO_DIFFERENCE: No difference that matters: b and a do not differ by 2 points "
            "or more. Keep a, or take the cheaper.",
        ),
        (
            successes((3_000, 0.9), (3_000, 0.905), settings=config(planned_units=6_000)),
            "INCONCLUSIVE: Cannot tell: after 6,000 users, success rate 0.5 points higher "
            "(-1.2 to 2.2) with b. A difference of 2.4 points would most likely have been "
            "found. Keep a, or run a new test with more units.",
        ),
        (
            successes((3_000, 0.9), (3_000, 0.9), state=State.STOPPED),
            "INCONCLUSIVE: Cannot tell: after 6,000 users, success rate the same (-2.4 to "
            "2.4 points) with b. A difference of 3 points would most likely have been "
            "found. Keep a.",
        ),
        (
            state({"a": arm(500)}, epochs=epochs(TWO_MODELS, {"a": 1.0, "b": 0.0})),
            "INCONCLUSIVE: Cannot tell: only a gets users now. Stop the test.",
        ),
        (
            successes((3_000, 0.9), (3_000, 0.905)),
            "KEEP_RUNNING: Keep running: so far success rate 0.5 points higher (-1.8 to "
            "2.8) with b. Without planned_units or min_effect nobody can say for how long.",
        ),
        (
            successes((3_000, 0.9), (3_000, 0.905), settings=LEAST),
            "KEEP_RUNNING: Keep running, about 12 days: so far success rate 0.5 points "
            "higher (-1.8 to 2.8) with b.",
        ),
        (
            successes((3_000, 0.9), (3_000, 0.905), settings=config(planned_units=20_000)),
            "KEEP_RUNNING: Keep running, about 24 days: so far success rate 0.5 points "
            "higher (-2.1 to 3.1) with b.",
        ),
        (
            successes((3_000, 0.9), (3_000, 0.905), state=State.PAUSED),
            "KEEP_RUNNING: Paused: so far success rate 0.5 points higher (-1.8 to 2.8) with b.",
        ),
        (
            successes((3_000, 0.85), (3_000, 0.9), run_hours=50.0),
            "KEEP_RUNNING: Keep running, about 5 days: b is better (success rate 5.0 points"
            " higher (2.4 to 7.6)), but it ran 2.1 of 7 days.",
        ),
        (
            successes((3_000, 0.97), (3_000, 0.999)),
            "KEEP_RUNNING: Keep running: b is better (success rate 2.9 points higher (1.9 "
            "to 3.9)), but 3 of 10 failures in b.",
        ),
        (
            state({"a": full(3_000, 0.85, 800, 4.0), "b": full(3_000, 0.9, 805, 4.0)}, GUARDED),
            "KEEP_RUNNING: Keep running: b is better (success rate 5.0 points higher (2.4 "
            "to 7.6)), but not yet surely safe: response time 1 % slower (-3 to 5 %), "
            "allowed is 2 %.",
        ),
        (
            state(
                {"a": full(3_000, 0.85, 800, 4.0, 20), "b": full(3_000, 0.9, 700, 4.0, 20)}, GUARDED
            ),
            "KEEP_RUNNING: Keep running: b is better (success rate 5.0 points higher (2.4 "
            "to 7.6)), but not yet surely safe: rating has 20 of 100 users in a with a "
            "rating.",
        ),
        (
            single("rating", mean(2_000, 4, 0), mean(2_000, 4, 0)),
            "KEEP_RUNNING: Keep running: cannot test yet, no rating differs from another.",
        ),
        (
            successes(
                (3_000, 0.85), (3_000, 0.9), settings=config(planned_units=6_000), run_hours=72.0
            ),
            "KEEP_RUNNING: Keep running, about 4 days: b is better (success rate 5.0 points"
            " higher (3.1 to 6.9)), but it ran 3.0 of 7 days.",
        ),
        (
            successes((3_000, 0.85), (3_000, 0.9), state=State.STOPPED, run_hours=72.0),
            "INCONCLUSIVE: Cannot tell: b is better (success rate 5.0 points higher (2.4 to"
            " 7.6)), but it ran 3.0 of 7 days. Keep a.",
        ),
        (
            state(
                {"a": full(3_000, 0.85, 800, 4.0), "b": full(3_000, 0.9, 805, 4.0)},
                GUARDED,
                state=State.STOPPED,
            ),
            "INCONCLUSIVE: Cannot tell: b is better (success rate 5.0 points higher (2.4 to"
            " 7.6)), but not yet surely safe: response time 1 % slower (-3 to 5 %), allowed"
            " is 2 %. Keep a.",
        ),
        (
            state(
                {"a": full(30_000, 0.85, 800, 4.0), "b": full(30_000, 0.85, 809.6, 4.0)}, GUARDED
            ),
            "KEEP_RUNNING: Keep running: so far success rate the same (-1.0 to 1.0 points) "
            "with b. Without planned_units or min_effect nobody can say for how long.",
        ),
        (
            successes((3_000, 0.9), (3_000, 0.85), state=State.PAUSED),
            "STOP_HARM: Paused, keep b off: success rate 5.0 points lower (2.4 to 7.6).",
        ),
        (
            single("tokens", cost(2_000, 1e-6), cost(2_000, 1.02e-6)),
            "KEEP_RUNNING: Keep running: so far tokens per operation 20 higher (-12 to 52) "
            "with b. Without planned_units or min_effect nobody can say for how long.",
        ),
    ],
)
def test_what_is_said(held: TestState, said: str) -> None:
    answer, _ = look(held)
    assert f"{answer.verdict}: {answer.recommendation}" == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.01, "less than a day"),
        (0.8, "about 1 day"),
        (1.2, "about 1 day"),
        (1.3, "about 2 days"),
        (4.9, "about 5 days"),
        (5_000, "more than two years"),
    ],
)
def test_days_are_whole(value: float, said: str) -> None:
    assert days(value) == said


def test_lists_are_read_aloud() -> None:
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip


def test_no_sentence_holds_a_p_value() -> None:
    for held in (successes((3_000, 0.85), (3_000, 0.9)), successes((3_000, 0.9), (2_500, 0.9))):
        answer, _ = look(held)
        assert "p =" not in answer.recommendation
        assert "p-value" not in answer.recommendation


def test_harm_is_told_by_the_bound_that_found_it() -> None:
    """A one-sided bound sees harm a little before the two-sided interval leaves 0."""
    for slower in range(20, 80):
        arms = {"a": full(2_500, 0.85, 800, 4.0), "b": full(2_500, 0.85, 800 + slower, 4.0)}
        answer, _ = look(state(arms, GUARDED))
        found = next(one for one in answer.comparisons if one.metric == "response_time_ms")
        if found.harmed:
            break
    assert found.low is not None
    assert found.low < 0
    assert answer.recommendation == "Turn b off now: response time 4.1 % slower (0.1 to 8.3 %)."
