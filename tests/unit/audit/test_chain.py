"""Whatever is done to a chain shows, and where."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.audit.chain import BEGIN, Anchor, Head, Row
from shared.audit.keys import Keys
from tests.unit.audit.made import KEYS, NOON, anchor_of, chain, head_of, look, resealed

ROWS = 40
TAMPERINGS = 1_000
Stored = tuple[list[Row], Head | None]


def test_a_chain_that_nobody_touched_is_whole() -> None:
    rows = chain(ROWS, switch=10)
    verdict = look(
        rows, head_of(rows), [anchor_of(rows[9]), anchor_of(rows[9]), anchor_of(rows[-1])]
    )
    assert (verdict.rows, verdict.first_broken, verdict.why) == (ROWS, None, None)
    assert (verdict.head, verdict.anchors) == (head_of(rows), 3)


def test_a_chain_without_rows_is_whole() -> None:
    assert look([], None).whole


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tenant_id", "globex"),
        ("sequence", 99),
        ("occurred_at", NOON),
        ("actor", "key:other"),
        ("role", None),
        ("action", "silence.delete"),
        ("object_type", "channel"),
        ("object_id", "another"),
        ("before", "{}"),
        ("after", None),
        ("request_id", None),
        ("key_version", 1),
        ("key_version", 3),
        ("prev_hash", BEGIN),
        ("row_hash", BEGIN),
    ],
)
def test_no_member_of_a_row_can_be_changed(name: str, value: Any) -> None:
    rows = chain(5)
    rows[2] = rows[2]._replace(**{name: value})
    assert look(rows, head_of(rows)).first_broken == 3


def test_text_does_not_move_from_one_member_to_the_next() -> None:
    rows = chain(1)
    moved = rows[0]._replace(actor="key:1x", action=rows[0].action)
    assert (
        resealed(moved).row_hash != resealed(moved._replace(actor="key:1", role="xadmin")).row_hash
    )


def test_another_key_fits_no_row() -> None:
    rows = chain(3)
    verdict = look(rows, head_of(rows), keys=Keys({2: b"three" * 8}))
    assert (verdict.first_broken, "not the key" in str(verdict.why)) == (1, True)
    assert (
        look(rows, head_of(rows), keys=Keys({7: b"seven" * 8})).why
        == "there is no key of version 2"
    )


def test_a_tail_that_was_cut_with_its_head_shows_against_anchors_only() -> None:
    rows = chain(ROWS)
    cut = rows[:30]
    assert look(cut, head_of(rows)).first_broken == 31
    assert look(cut, head_of(cut)).whole, "which is why there are anchors"
    verdict = look(cut, head_of(cut), [anchor_of(rows[20]), anchor_of(rows[35])])
    assert verdict.first_broken == 31
    assert "rows were cut since" in str(verdict.why)


def test_a_chain_that_was_all_cut_shows_against_its_anchor() -> None:
    assert look([], None, [anchor_of(chain(1)[0])]).first_broken == 1


def test_rows_that_were_put_where_others_were_cut_show_against_anchors() -> None:
    """Whoever has the key can do this; nobody can do it to the anchors."""
    rows = chain(ROWS)
    forged = [*rows[:30], resealed(rows[30]._replace(actor="key:nobody"))]
    assert look(forged, head_of(forged)).whole
    verdict = look(forged, head_of(forged), [anchor_of(rows[30])])
    assert verdict.first_broken == 31
    assert "rewritten" in str(verdict.why)


def test_anchors_that_go_back_say_that_the_chain_was_once_longer() -> None:
    rows = chain(ROWS)
    verdict = look(rows, head_of(rows), [anchor_of(rows[20]), anchor_of(rows[10], 60)])
    assert verdict.first_broken == 12
    assert "shorter" in str(verdict.why)


def test_anchors_of_after_the_export_are_not_held_against_it() -> None:
    rows = chain(ROWS)
    early = rows[:30]
    as_of = rows[29].occurred_at
    assert look(early, head_of(early), [anchor_of(rows[35])], as_of=as_of).whole


def _change(rows: list[Row], draw: random.Random) -> Stored:
    place = draw.randrange(len(rows))
    name = draw.choice(["actor", "action", "object_type", "object_id", "request_id", "after"])
    tampered = rows.copy()
    tampered[place] = tampered[place]._replace(**{name: f"x{draw.random()}"})
    return tampered, head_of(rows)


def _shift(rows: list[Row], draw: random.Random) -> Stored:
    place = draw.randrange(len(rows))
    at = rows[place].occurred_at + timedelta(microseconds=draw.choice([-1, 1]))
    return [*rows[:place], rows[place]._replace(occurred_at=at), *rows[place + 1 :]], head_of(rows)


def _delete(rows: list[Row], draw: random.Random) -> Stored:
    place = draw.randrange(len(rows))
    return [*rows[:place], *rows[place + 1 :]], head_of(rows)


def _renumber(rows: list[Row], draw: random.Random) -> Stored:
    """Take one out and close the gap, as far as that goes without the key."""
    place = draw.randrange(len(rows) - 1)
    rest = [row._replace(sequence=row.sequence - 1) for row in rows[place + 1 :]]
    rest[0] = rest[0]._replace(prev_hash=rows[place].prev_hash)
    changed = [*rows[:place], *rest]
    return changed, head_of(changed)


def _insert(rows: list[Row], draw: random.Random) -> Stored:
    place, copied = draw.randrange(len(rows) + 1), draw.choice(rows)
    return [*rows[:place], copied, *rows[place:]], head_of(rows)


def _insert_forged(rows: list[Row], draw: random.Random) -> Stored:
    place = draw.randrange(len(rows))
    forged = rows[place]._replace(actor="key:forged", row_hash=draw.randbytes(32))
    after = rows[place]._replace(sequence=rows[place].sequence + 1, prev_hash=forged.row_hash)
    rest = [row._replace(sequence=row.sequence + 1) for row in rows[place + 1 :]]
    changed = [*rows[:place], forged, after, *rest]
    return changed, head_of(changed)


def _swap(rows: list[Row], draw: random.Random) -> Stored:
    one, other = draw.sample(range(len(rows)), 2)
    swapped = rows.copy()
    swapped[one], swapped[other] = swapped[other], swapped[one]
    return swapped, head_of(rows)


def _cut(rows: list[Row], draw: random.Random) -> Stored:
    cut = rows[: draw.randrange(len(rows))]
    return cut, draw.choice([head_of(rows), head_of(cut)])


def _other_key(rows: list[Row], draw: random.Random) -> Stored:
    """Sealed anew from a place on, by whoever can write to the database and has no key."""
    place = draw.randrange(len(rows))
    theirs = Keys({version: draw.randbytes(32) for version in range(3)})
    changed = rows[:place]
    for row in rows[place:]:
        before = changed[-1].row_hash if changed else BEGIN
        changed.append(resealed(row._replace(prev_hash=before, actor="key:forged"), theirs))
    return changed, head_of(changed)


def _wrong_head(rows: list[Row], draw: random.Random) -> Stored:
    return rows, draw.choice(
        [None, Head(len(rows), draw.randbytes(32)), Head(len(rows) + 1, BEGIN)]
    )


KINDS: list[Callable[[list[Row], random.Random], Stored]] = [
    *(_change, _shift, _delete, _renumber, _insert, _insert_forged),
    *(_swap, _cut, _other_key, _wrong_head),
]


def test_a_thousand_tamperings_all_show(seed: int) -> None:
    draw, rows = random.Random(seed), chain(ROWS, switch=7)
    anchors: list[Anchor] = [anchor_of(rows[place]) for place in (4, 19, ROWS - 1)]
    assert look(rows, head_of(rows), anchors).whole
    unseen = []
    for number in range(TAMPERINGS):
        kind = KINDS[number % len(KINDS)]
        tampered, head = kind(rows, draw)
        verdict = look(tampered, head, anchors, KEYS)
        if verdict.whole or verdict.first_broken is None or verdict.why is None:
            unseen.append(kind.__name__)
    assert not unseen, f"seed {seed}"


@pytest.mark.parametrize("place", range(5))
def test_the_first_broken_row_is_named(place: int) -> None:
    rows = chain(5)
    changed = rows.copy()
    changed[place] = changed[place]._replace(actor="x")
    assert look(changed, head_of(rows)).first_broken == place + 1
    gone = [*rows[:place], *rows[place + 1 :]]
    assert look(gone, head_of(rows)).first_broken == place + 1
