"""What is said of a name that nobody knows."""

import pytest

from services.gateway.domain.names import MOST_NAMED, not_known


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("treshold", "is not known; did you mean threshold? Known are limit, threshold"),
        ("nonsense", "is not known. Known are limit, threshold"),
        ("threshold" * 100, "is not known. Known are limit, threshold"),
    ],
)
def test_what_is_known_is_named_and_what_was_meant(name: str, said: str) -> None:
    assert not_known(name, ["threshold", "limit"]) == said


def test_of_very_many_known_names_some_are_said() -> None:
    said = not_known("n", [f"name_{place:02}" for place in range(MOST_NAMED + 3)])
    assert said.startswith("is not known. Known are name_00, name_01")
    assert said.endswith("name_19 and 3 more")


def test_where_nothing_is_known_nothing_is_listed() -> None:
    assert not_known("n", []) == "is not known; nothing can be named here"
