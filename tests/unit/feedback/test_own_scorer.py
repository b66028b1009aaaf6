"""A team may read comments with its own model."""

from pathlib import Path

import pytest

from services.feedback.domain.sentiment.labels import Label
from services.feedback.domain.sentiment.model import packaged
from services.feedback.service.own_scorer import FAILED, Forgiving, ScorerError, chosen_scorer

OWN = """
from services.feedback.domain.sentiment.labels import Label, Sentiment


def cheerful(comment):
    return Sentiment(Label.POSITIVE, 1.0, 0.5, "cheerful", "7")


class Loaded:
    def __init__(self):
        self.version = "8"

    def __call__(self, comment):
        return Sentiment(None, 0.0, 0.0, "loaded", self.version)


def lies(comment):
    return Sentiment(Label.POSITIVE, 3.0, 0.5, "lies", "1")


def late(comment):
    return Sentiment("fine" if "late" in comment else None, 0.0, 0.5, "late", "1")


def strange(comment):
    return Sentiment(None, 0.0, 0.5, "strange", "1", "en", {"funny": True})


def outright(comment):
    return Sentiment(None, 0.0, 0.5, "rating", "1")


def numbered(comment):
    return Sentiment(None, 0.0, 0.5, "mine", 2)


def unsure(comment):
    return Sentiment(None, 0.0, 0.5, "mine", "1", "en", {"fast": 1})


def nameless(comment):
    return Sentiment(None, 0.0, 0.5, "", "")


def text(comment):
    return "positive"


number = 4
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    return path


def test_without_a_setting_it_is_ours() -> None:
    assert chosen_scorer(None) is packaged()


def test_a_function_or_a_class_in_a_file_takes_its_place(own: Path) -> None:
    assert chosen_scorer(f"{own}:cheerful")("Bad.").label is Label.POSITIVE
    assert chosen_scorer(f"{own}:Loaded")("Bad.").version == "8"


def test_a_dotted_name_works_too() -> None:
    where = "services.feedback.domain.sentiment.model:packaged"
    with pytest.raises(TypeError):  # it takes no comment: what a scorer raises is not hidden
        chosen_scorer(where)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lies", "score must lie between -1 and 1, is 3.0"),
        ("strange", "has 'funny'"),
        ("nameless", "method and version"),
        ("numbered", "version is 2"),
        ("outright", "said outright"),
        ("unsure", "true or false"),
        ("text", "must return a Sentiment, returned str"),
        ("number", "number is not callable"),
        ("absent", "has no absent"),
    ],
)
def test_what_is_wrong_with_a_scorer_is_said_at_the_start(own: Path, name: str, words: str) -> None:
    with pytest.raises(ScorerError, match=words):
        chosen_scorer(f"{own}:{name}")


def test_each_answer_is_checked_not_only_the_first(own: Path) -> None:
    scorer = chosen_scorer(f"{own}:late")
    assert scorer("early").label is None
    with pytest.raises(ScorerError, match="label must be one of negative, neutral, positive"):
        scorer("late")


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("own", "write package.module:name"),
        (":name", "write package.module:name"),
        ("no.such.package:name", "cannot import no.such.package"),
        ("/no/such/file.py:name", "no file at /no/such/file.py"),
    ],
)
def test_a_place_that_leads_nowhere_is_named(where: str, words: str) -> None:
    with pytest.raises(ScorerError, match=words):
        chosen_scorer(where)


def test_in_service_a_comment_that_it_cannot_read_is_an_abstention(own: Path) -> None:
    scorer = Forgiving(chosen_scorer(f"{own}:late"))
    assert scorer("on time").method == "late"
    read = scorer("too late")
    assert (read.label, read.confidence, read.method) == (None, 0.0, FAILED)
