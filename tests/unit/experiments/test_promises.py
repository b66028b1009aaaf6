"""What the bench holds the proofs against: it must not pass by measuring nothing."""

from tests.support.promises import Promise, broken

PROMISES = (Promise("V1 *: hybrid", most=0.05), Promise("V8 *", most=0.0))


def test_a_figure_outside_and_one_that_is_not_there_are_told() -> None:
    found = {"V1 normal: hybrid": 0.051, "V1 ratings: hybrid": 0.05, "V1 normal: fixed": 0.4}
    assert list(broken(found, PROMISES)) == [
        "V1 normal: hybrid: 0.051, not from 0 to 0.05",
        "V8 *: not measured",
    ]


def test_what_is_as_promised_is_not() -> None:
    assert not list(broken({"V1 normal: hybrid": 0.0, "V8 sums": 0.0}, PROMISES))
