"""Presidio as a redactor, with an analyzer that knows one name."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from shared.training.errors import MissingExtraError
from shared.training.presidio import PresidioRedactor, load
from tests.unit.training.made import exported, made


@dataclass
class Found:
    """A place in a text, as Presidio tells it."""

    start: int
    end: int
    entity_type: str


class Knows:
    """Finds given words wherever they stand."""

    def __init__(self, **words: str) -> None:
        self.words = words

    def analyze(
        self, text: str, language: str, *, entities: list[str], score_threshold: float
    ) -> Sequence[Found]:
        assert (language, entities, score_threshold) == ("en", ["PERSON", "LOCATION"], 0.5)
        return [
            Found(text.index(word), text.index(word) + len(word), kind)
            for kind, word in self.words.items()
            if word in text
        ]


async def test_rows_whose_flag_says_nothing_are_read_too() -> None:
    redactor = PresidioRedactor(Knows(PERSON="Ann Lee"))
    row = made(1, output="Ann Lee lives there", has_pii=False)
    written, report = await exported([row], redactor=redactor)
    assert b'"output":"[PERSON] lives there"' in written
    assert report.redacted == {"PERSON": 1}


def test_the_patterns_come_first() -> None:
    text, found = PresidioRedactor(Knows(PERSON="Ann")).redact("Ann, ann@lee.org, Ann")
    assert text == "[PERSON], [EMAIL], Ann"
    assert found == {"EMAIL": 1, "PERSON": 1}


def test_of_overlapping_finds_the_longest_is_hidden() -> None:
    redactor = PresidioRedactor(Knows(LOCATION="York", PERSON="Duke of York"))
    assert redactor.redact("the Duke of York came")[0] == "the [PERSON] came"


def test_a_placeholder_is_no_name() -> None:
    assert PresidioRedactor(Knows(PERSON="EMAIL")).redact("a@b.de")[0] == "[EMAIL]"


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'assay\[pii\]'"):
        load()


@pytest.mark.parametrize("end", [SystemExit(1), OSError("no network")])
def test_without_a_model_the_error_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    class Package:
        @staticmethod
        def AnalyzerEngine(**_: object) -> object:  # noqa: N802
            raise end

    monkeypatch.setitem(sys.modules, "presidio_analyzer", Package)
    with pytest.raises(MissingExtraError, match="spacy download"):
        load()
