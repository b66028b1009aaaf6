"""Themes of comments: those that were planted, in any order, and nothing that names anybody."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.reckoning.comments import MOST_SHOWN, example, readable
from shared.reckoning.themes import Comments, themes

WORDS = (
    "model told something budget travel weather finance python table number list city user form "
    "page price button holiday question paragraph sentence letter colour picture yesterday morning"
)
FILLER = WORDS.split()
PLANTED = ("completely outdated figures", "hallucinated citations", "much too slow")


def comments(seed: int, count: int = 120) -> list[str]:
    chance = random.Random(seed)
    return [
        " ".join([*chance.sample(FILLER, 3), PLANTED[n % len(PLANTED)], chance.choice(FILLER)])
        for n in range(count)
    ]


def found_in(texts: list[str]) -> list[tuple[list[str], list[str]]]:
    return [
        (one.words, sorted(texts[place] for place in one.members))
        for one in themes(Comments(texts=texts))
    ]


@pytest.mark.parametrize("seed", range(5))
def test_planted_themes_are_found_and_each_comment_says_what_its_theme_is_called(seed: int) -> None:
    texts = comments(seed)
    found = found_in(texts)
    for planted in PLANTED:
        says = [text for text in texts if planted in text]
        assert any(set(says) <= set(members) for _, members in found[:3]), planted
    for words, members in found:
        assert len(members) >= 3
        assert members == sorted(
            text for text in texts if any(word in text.split() for word in words)
        )


def test_order_changes_nothing() -> None:
    texts = comments(7)
    shuffled = random.Random(1).sample(texts, len(texts))
    assert found_in(shuffled) == found_in(texts)


@settings(max_examples=50)
@given(st.lists(st.text(max_size=60), max_size=12))
def test_whatever_is_said_is_answered(texts: list[str]) -> None:
    for one in themes(Comments(texts=texts)):
        assert len(one.members) >= 3
        assert one.words
        assert max(one.members) < len(texts)


def test_two_who_agree_are_no_theme_and_small_words_neither() -> None:
    assert themes(Comments(texts=["outdated", "outdated"])) == []
    assert themes(Comments(texts=[])) == []
    assert themes(Comments(texts=["the answer is not it"] * 9)) == []
    assert themes(Comments(texts=["die Antwort war nicht so"] * 9))[0].words == ["nicht"]
    (theme,) = themes(Comments(texts=["réponse obsolète", "Obsolete!", "obsolète, encore"]))
    assert theme.words == ["obsolete"]
    # A perfect fit, whose error may be a little below 0.
    same = "outdated figures, ask somebody"
    (theme,) = themes(Comments(texts=[same] * 12 + [f"no {n}" for n in range(8)]))
    assert len(theme.members) == 12


def test_personal_data_is_in_no_label_and_no_example() -> None:
    texts = [f"outdated, write to jane.doe@example.com or call me {n}" for n in range(5)]
    (theme,) = themes(Comments(texts=texts))
    assert "outdated" in theme.words
    assert not {"jane", "doe", "example", "email"} & set(theme.words)
    assert all("[EMAIL]" in one and "jane" not in one for one in theme.examples)
    assert len(theme.examples) == 3


def test_examples_are_short_lines_of_plain_text() -> None:
    assert example("a\x1b[31m\nb\u202ec") == "a [31m b c"
    assert example("<script>alert(1)</script>") == "<script>alert(1)</script>"  # data, as it is
    long = example("x" * 1000)
    assert len(long) == MOST_SHOWN
    assert long.endswith("…")


def test_half_an_address_at_the_end_of_what_is_read_is_not_shown() -> None:
    assert "jane" not in readable("x " * 495 + "jane.doe@example.com")


def test_a_comment_of_blanks_is_one_without_words() -> None:
    assert readable(" " * 1_000) == ""
    assert themes(Comments(texts=[" " * 1_000, *comments(1, 9)])) is not None
