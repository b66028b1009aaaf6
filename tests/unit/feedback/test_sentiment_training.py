"""The comments that the scorer is trained on, and those that it must never have seen."""

from collections import Counter

from deploy.sentiment.comments_on_file import HELD_OUT, alike, families, for_training, read
from services.feedback.domain.sentiment.features import BUCKETS, of_comment
from services.feedback.domain.sentiment.labels import ASPECTS, LANGUAGES, Label
from services.feedback.domain.sentiment.model import OUTPUTS, packaged
from services.feedback.domain.sentiment.words import clean, words

CHAINS = [  # beginning, middle, end
    ("the letter", "qqqq", "went out"),
    ("fix my bike", "pump", "dad is up"),
    ("zebra jam", "cold", "yak hobby"),
    ("wonky dusk", "figs", "ivory egg"),
    ("milk rule 77", "husk", "vote no one"),
]
KINDS = ["domain", "emoji", "factual", "long", "mixed", "negation", "plain", "sarcasm", "typo"]


def test_nothing_held_out_is_like_anything_trained_on() -> None:
    held, trained = ([one.text for one in side] for side in (read(HELD_OUT), for_training()))
    found = alike(held, trained)
    assert [text for text, is_like in zip(held, found, strict=True) if is_like] == []


def test_a_comment_of_which_half_is_the_same_is_alike() -> None:
    others = ["Fast and correct", "It was wrong again!!"]
    assert alike(["It was wrong again.", "Quite another thing", "👍"], others) == [
        True,
        False,
        False,
    ]


def test_comments_that_differ_in_little_are_one_family() -> None:
    one, two, other = families(["It was wrong again.", "It was wrong again!!", "Fast and correct"])
    assert one == two != other


def test_a_family_is_named_by_its_first_member_in_every_run() -> None:
    # The third is like the first and like the second, which are not like each other.
    chains = [
        (f"{begun} {middle}", f"{middle} {ended}", f"{begun} {middle} {ended}")
        for begun, middle, ended in CHAINS
    ]
    found = families([text for chain in chains for text in chain])
    assert found == [3 * (at // 3) for at in range(len(found))]


def test_labels_are_known_ones_and_every_kind_and_language_is_there() -> None:
    comments = for_training()
    assert {comment.sentiment for comment in comments} == set(Label)
    assert {name for comment in comments for name in comment.aspects} == set(ASPECTS)
    assert sorted(Counter(comment.kind for comment in comments)) == KINDS
    assert sorted(Counter(comment.lang for comment in comments)) == sorted(LANGUAGES)


def test_no_comment_is_there_twice() -> None:
    texts = Counter(comment.text for comment in for_training() + read(HELD_OUT))
    assert [text for text, times in texts.items() if times > 1] == []


def test_the_stored_model_fits_the_code() -> None:
    model = packaged()
    assert model.weights.shape == (BUCKETS, OUTPUTS)
    assert model.scale.shape == model.bias.shape == (OUTPUTS,)


def test_features_are_the_same_on_every_machine() -> None:
    found = of_comment(words(clean("Not good, but fast!")))
    assert len(found) == len(of_comment(words(clean("NOT good, but fast!"))))
    assert max(found) < BUCKETS
    assert sum(found) == 10_739_761
