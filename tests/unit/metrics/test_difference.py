"""Cells of one record's time against minutes of a later one: only real differences are found."""

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.difference import Cut, Evidence, differences, ranges
from services.metrics.domain.waiting import Waiting
from shared import keys
from shared.measures.cells import HOUR, MINUTE, Cell, CellKey, Cells, Series, add_into, by_hour
from shared.measures.fold import Judgement

START = 1_800_000_000 // HOUR * HOUR
A, B = Series("m", "production", "chat", "a"), Series("m", "staging", "chat", "")
SAID = Judgement(5, None, None, None, None)

key = st.builds(
    CellKey,
    st.sampled_from(["acme", "globex"]),
    st.integers(0, 150).map(lambda minute: START + minute * MINUTE),
    st.sampled_from([A, B]),
)
cell = st.dictionaries(st.sampled_from(["n", "tin", "d:-3", "f_n"]), st.integers(1, 9), min_size=1)
record = st.tuples(key, cell)
records = st.lists(record, max_size=30)


def summed(some: list[tuple[CellKey, Cell]]) -> Cells:
    out: Cells = {}
    for place, more in some:
        add_into(out.setdefault(place, {}), more)
    return out


def live(some: list[tuple[CellKey, Cell]], members: set[str]) -> dict[str, dict[Series, Cell]]:
    minutes = summed(some)
    out: dict[str, dict[Series, Cell]] = {member: {} for member in members}
    for name, cells in ((keys.MINUTE_CELLS, minutes), (keys.HOUR_CELLS, by_hour(minutes))):
        for place, content in cells.items():
            member = keys.cell_member(name, place.tenant_id, place.start)
            out[member][place.series] = dict(content)
    return out


def members_of(some: list[tuple[CellKey, Cell]]) -> set[str]:
    return {
        keys.cell_member(name, place.tenant_id, place.start // span * span)
        for place, _ in some
        for name, span in ((keys.MINUTE_CELLS, MINUTE), (keys.HOUR_CELLS, HOUR))
    }


@given(records, records)
def test_what_came_later_is_no_difference(
    before: list[tuple[CellKey, Cell]], later: list[tuple[CellKey, Cell]]
) -> None:
    cut = Cut(7, 1, live(before, members_of(before + later)), {})
    evidence = Evidence(9, summed(before + later), summed(later))
    assert differences(cut, evidence) == {}


@given(records, records, record)
def test_what_is_lacking_is_found_and_nothing_else(
    before: list[tuple[CellKey, Cell]],
    later: list[tuple[CellKey, Cell]],
    lost: tuple[CellKey, Cell],
) -> None:
    cut = Cut(7, 1, live(before, members_of([*before, *later, lost])), {})
    evidence = Evidence(9, summed([*before, *later, lost]), summed(later))
    assert differences(cut, evidence) == {
        member: {lost[0].series: lost[1]} for member in members_of([lost])
    }


@given(records, record)
def test_what_is_too_much_is_found_and_nothing_else(
    before: list[tuple[CellKey, Cell]], twice: tuple[CellKey, Cell]
) -> None:
    cut = Cut(7, 1, live([*before, twice], members_of([*before, twice])), {})
    negative = {name: -count for name, count in twice[1].items()}
    assert differences(cut, Evidence(9, summed(before))) == {
        member: {twice[0].series: negative} for member in members_of([twice])
    }


@given(records, record)
def test_feedback_that_only_redis_attributed_so_far_is_not_judged(
    before: list[tuple[CellKey, Cell]], early: tuple[CellKey, Cell]
) -> None:
    cut = Cut(7, 1, live([*before, early], members_of([*before, early])), {})
    unsettled = frozenset({(early[0].tenant_id, early[0].start)})
    assert differences(cut, Evidence(9, summed(before), unsettled=unsettled)) == {}


def test_cells_cover_their_own_time_only() -> None:
    waiting = {b"digest": Waiting("acme", "op", START, SAID)}
    cut = Cut(7, 1, {f"m:acme:{START}": {}, f"h:globex:{START}": {}}, waiting)
    assert ranges(cut.cells) == [
        ("acme", START, START + MINUTE),
        ("globex", START, START + HOUR),
    ]
