"""Window sums kept by differences equal sums made from scratch."""

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.windows import (
    OUTCOMES,
    RESOLUTION,
    Place,
    Windows,
    span_of,
)
from shared.alerts.burning import BURN_ONLY
from shared.alerts.looking import LENGTHS_S, past_hour
from shared.keys import HOUR_CELLS, MINUTE_CELLS
from shared.measures.cells import HOUR, MINUTE, Cell, Series, add_into

NOON = 1_800_000_000.0
A, B = Series("m", "production", "chat", "a"), Series("m", "staging", "chat", "")

cells = st.dictionaries(
    st.sampled_from([A, B]),
    st.dictionaries(st.sampled_from(["n", "ok", "d:7"]), st.integers(1, 9), min_size=1),
)
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"),
            st.sampled_from(["p0", "p1"]),
            st.sampled_from([MINUTE_CELLS, HOUR_CELLS]),
            st.integers(-180, 3) | st.sampled_from([-169, -168, -167]),
            cells,
        ),
        st.tuples(st.just("pass"), st.integers(0, 3 * HOUR)),
        st.tuples(st.just("forget"), st.sampled_from(["p0", "p1"])),
    ),
    max_size=40,
)


def from_scratch(
    known: dict[Place, dict[Series, Cell]], now: float
) -> dict[str, dict[Series, Cell]]:
    sums: dict[str, dict[Series, Cell]] = {}
    for window in LENGTHS_S:
        start, end = span_of(window, now)
        for place, content in known.items():
            if place.resolution == RESOLUTION[window] and start <= place.start < end:
                for series, cell in content.items():
                    held = {
                        k: v for k, v in cell.items() if window not in BURN_ONLY or k in OUTCOMES
                    }
                    if held:
                        add_into(sums.setdefault(window, {}).setdefault(series, {}), held)
    return sums


def week_ago(known: dict[Place, dict[Series, Cell]], now: float) -> dict[Series, Cell]:
    sums: dict[Series, Cell] = {}
    for place, content in known.items():
        if (place.resolution, place.start) == (HOUR_CELLS, past_hour(now)[0]):
            for series, cell in content.items():
                add_into(sums.setdefault(series, {}), cell)
    return sums


@given(steps)
def test_differences_add_up_to_the_whole(actions: list[tuple[object, ...]]) -> None:
    now = NOON
    windows = Windows(now)
    known: dict[Place, dict[Series, Cell]] = {}
    for action in actions:
        if action[0] == "put":
            _, source, resolution, back, content = action
            step = MINUTE if resolution == MINUTE_CELLS else HOUR
            start = int(now) // step * step + int(back) * step  # type: ignore[call-overload]
            place = Place(source, str(resolution), "acme", start)
            known[place] = content  # type: ignore[assignment]
            windows.put(place, content)  # type: ignore[arg-type]
        elif action[0] == "pass":
            now += action[1]  # type: ignore[operator]
            windows.advance(now)
        else:
            windows.forget(action[1])
            known = {place: cell for place, cell in known.items() if place.source != action[1]}
        # After each step: what is kept of an answer must not outlive what it was made of.
        assert windows.hour_last_week(("acme", "m")) == week_ago(known, now)
    found = {w: sums for w, sums in windows.sums(("acme", "m")).items() if sums}
    assert found == from_scratch(known, now)


def test_only_what_changed_is_dirty() -> None:
    windows = Windows(NOON)
    place = Place("p0", MINUTE_CELLS, "acme", int(NOON) // MINUTE * MINUTE)
    windows.put(place, {A: {"n": 1}})
    windows.dirty.clear()
    windows.put(place, {A: {"n": 1}})
    assert windows.dirty == set()


def test_a_model_is_retired_when_nothing_of_it_is_left() -> None:
    windows = Windows(NOON)
    windows.put(Place("p0", HOUR_CELLS, "acme", int(NOON) // HOUR * HOUR), {A: {"n": 1}})
    assert not windows.retire(("acme", "m"))
    windows.advance(NOON + 9 * 24 * HOUR)
    assert windows.retire(("acme", "m"))


M, WEEK_AGO = ("acme", "m"), past_hour(NOON)[0]


def held(windows: Windows) -> dict[Series, Cell]:
    return dict(windows.hour_last_week(M))


def test_the_hour_of_last_week_is_held_until_the_next_is_nearer() -> None:
    windows = Windows(NOON)
    windows.put(Place("p0", HOUR_CELLS, "acme", WEEK_AGO), {A: {"n": 1, "d:7": 1}})
    windows.put(Place("p0", HOUR_CELLS, "acme", WEEK_AGO + HOUR), {A: {"n": 2}})
    windows.put(Place("p0", HOUR_CELLS, "acme", WEEK_AGO - HOUR), {A: {"n": 4}})
    windows.put(Place("p0", MINUTE_CELLS, "acme", WEEK_AGO), {A: {"n": 8}})
    turn = WEEK_AGO + LENGTHS_S["7d"] + HOUR + HOUR // 2
    for now in (NOON, turn - 1, turn - 0.001):
        windows.advance(now)
        assert held(windows) == {A: {"n": 1, "d:7": 1}}, now
    assert windows.span("7d").start > WEEK_AGO, "it outlives the windows"
    for now in (turn, turn + HOUR - 1):
        windows.advance(now)
        assert held(windows) == {A: {"n": 2}}, now
    windows.advance(turn + HOUR)
    assert held(windows) == {}


def test_the_hour_of_last_week_may_change_late() -> None:
    windows = Windows(NOON)
    ours = Place("p0", HOUR_CELLS, "acme", WEEK_AGO)
    other = Series("other", "production", "chat", "")
    windows.put(ours, {A: {"n": 1}, other: {"n": 5}})
    windows.put(ours._replace(tenant_id="globex"), {A: {"n": 7}})
    assert held(windows) == {A: {"n": 1}}
    windows.put(ours, {A: {"n": 2}, B: {"n": 3}})
    assert held(windows) == {A: {"n": 2}, B: {"n": 3}}
    windows.put(ours._replace(source="p1"), {A: {"n": 10, "f_n": 1}})
    assert held(windows) == {A: {"n": 12, "f_n": 1}, B: {"n": 3}}
    windows.put(ours, {A: {"n": 4}})
    assert held(windows) == {A: {"n": 14, "f_n": 1}}
    windows.forget("p1")
    assert held(windows) == {A: {"n": 4}}
    windows.forget("p0")
    assert held(windows) == {}
    assert windows.hour_last_week(("globex", "m")) == {}


def test_nothing_more_is_summed_for_those_who_do_not_ask() -> None:
    windows = Windows(NOON)
    windows.put(Place("p0", HOUR_CELLS, "acme", WEEK_AGO), {A: {"n": 1}})
    held(windows)
    assert set(windows.sums(M)) <= set(LENGTHS_S), "views show every window of these"
