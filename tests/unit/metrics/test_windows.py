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
from shared.alerts.looking import LENGTHS_S
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
            st.integers(-180, 3),
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
