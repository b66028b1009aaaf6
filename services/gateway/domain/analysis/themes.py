"""Themes of complaints: what a model's negative comments have in common, with examples."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.gateway.domain.analysis.sums import Judged, shown
from shared.experiments.moments import Unit, of_units

MOST_MODELS: Final = 20
MOST_COMMENTS: Final = 5_000
LEAST_COMMENTS: Final = 3
NO_CONTENT: Final = "No themes: the tenant's texts are not kept, so there are no comments to read."
NO_COMMENTS: Final = "No themes: nobody commented on what they judged negative in this span."
NO_THEMES: Final = "No themes: no words stand in three or more negative comments of one model."

NOT_FOUND: Final = "No themes: they could not be found this time; ask again with refresh=true."


class Complaint(NamedTuple):
    """One negative comment, as it was stored: personal data is hidden where themes are found."""

    model_id: str
    person: str
    operation_id: str
    text: str


class Theme(NamedTuple):
    """What complaints of a model say."""

    model_id: str
    words: tuple[str, ...]
    share: Judged
    """Of the model's negative comments."""
    examples: tuple[tuple[str, str], ...]
    """Operations, and what was said of them."""


def complaints_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Complaint]]:
    """Comments by model, of those with the most; none of a model with too few for a theme."""
    busiest = Counter(row["model_id"] for row in rows)
    told = sorted(busiest, key=lambda one: (-busiest[one], one))[:MOST_MODELS]
    found: dict[str, list[Complaint]] = {one: [] for one in told if busiest[one] >= LEAST_COMMENTS}
    for row in rows:
        if row["model_id"] in found:
            said = (row[name] for name in ("model_id", "person", "operation_id", "comment"))
            found[row["model_id"]].append(Complaint(*said))
    return found


def question(complaints: Mapping[str, Sequence[Complaint]]) -> dict[str, Any]:
    """What is asked of whoever finds themes."""
    models = [{"texts": [one.text for one in of_model]} for of_model in complaints.values()]
    return {"do": "themes", "models": models}


def themes_of(
    complaints: Mapping[str, Sequence[Complaint]], answer: Mapping[str, Any]
) -> list[Theme]:
    """The themes of all models, as they were found."""
    return [
        _theme(of_model, found)
        for of_model, themes in zip(complaints.values(), answer["themes"], strict=True)
        for found in themes
        if len(found["members"]) >= LEAST_COMMENTS
    ]


def share_of(complaints: Sequence[Complaint], members: frozenset[int]) -> Judged:
    """How many of the comments are among `members`, by person."""
    persons: dict[str, tuple[int, int]] = {}
    for place, one in enumerate(complaints):
        m, d = persons.get(one.person, (0, 0))
        persons[one.person] = m + (place in members), d + 1
    return Judged(of_units(Unit(m, d) for m, d in persons.values()), len(members))


def themes_view(complaints: int, themes: Sequence[Theme], *, keeps_content: bool) -> dict[str, Any]:
    """Themes as they are answered, or why there are none."""
    reason = None
    if not themes:
        reason = NO_THEMES if complaints else NO_COMMENTS
        reason = reason if keeps_content or complaints else NO_CONTENT
    return {
        "comments_read": complaints,
        "newest_only": complaints >= MOST_COMMENTS,
        "reason": reason,
        "items": [
            {
                "model_id": one.model_id,
                "words": list(one.words),
                "comments": int(one.share.sums.m),
                "share": shown("share", one.share),
                "examples": [
                    {"operation_id": operation_id, "comment": comment}
                    for operation_id, comment in one.examples
                ],
            }
            for one in themes
        ],
    }


def _theme(complaints: Sequence[Complaint], found: Mapping[str, Any]) -> Theme:
    members, examples = found["members"], found["examples"]
    operations = [complaints[place].operation_id for place in members[: len(examples)]]
    return Theme(
        complaints[0].model_id,
        tuple(found["words"]),
        share_of(complaints, frozenset(members)),
        tuple(zip(operations, examples, strict=True)),
    )
