"""Who said what last: one current vote per person and operation, whatever the order of arrival."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.feedback.domain.sentiment.merge import Merged

Voter = tuple[str, ...]
Identity = tuple[datetime, UUID]
"""Also the order of what one person said; the store holds one event of each."""


class Source(StrEnum):
    """Who speaks, as events name it."""

    USER = "user"
    REVIEWER = "reviewer"
    CODE = "code"
    MODEL = "model"


_PEOPLE = (Source.USER, Source.REVIEWER)


@dataclass(frozen=True, slots=True)
class Feedback:
    """One stored feedback of an operation. `user` is a pseudonym, `author` a judging model's id."""

    event_id: UUID
    occurred_at: datetime
    source: Source
    said: Merged
    user: str | None = None
    author: str | None = None
    correction: str | None = None
    consent: bool | None = None
    is_corrected: bool = False
    """Also where the text of the correction was not kept."""

    @property
    def identity(self) -> Identity:
        """Its place in the order of what was said."""
        return self.occurred_at, self.event_id

    @property
    def rater(self) -> str | None:
        """Whose reliability is known; `None`: nobody's."""
        if self.user is not None:
            return f"user:{self.user}"
        return None if self.author is None else f"model:{self.author}"

    @property
    def voter(self) -> Voter:
        """Who has one vote; who gives no name is a new voter each time."""
        named = self.rater
        if named is not None:
            return (named,)
        return ("event", self.occurred_at.isoformat(), str(self.event_id))


def history(feedback: Iterable[Feedback]) -> dict[Voter, tuple[Feedback, ...]]:
    """All that each voter said of one operation, oldest first: the last counts."""
    told: dict[Voter, dict[Identity, Feedback]] = {}
    for one in feedback:
        told.setdefault(one.voter, {})[one.identity] = one
    return {voter: tuple(all_[at] for at in sorted(all_)) for voter, all_ in told.items()}


def current(feedback: Iterable[Feedback]) -> list[Feedback]:
    """The vote of each voter, oldest first. It replaces its forerunners whole."""
    return sorted((said[-1] for said in history(feedback).values()), key=lambda one: one.identity)


def superseded(feedback: Iterable[Feedback]) -> set[Identity]:
    """What a later feedback of the same voter replaced: kept, shown, and not counted."""
    return {one.identity for said in history(feedback).values() for one in said[:-1]}


def consent(feedback: Iterable[Feedback]) -> bool | None:
    """Whether the operation may be trained on; `None`: nobody said.

    Each voter's last word counts, also if what it came with was replaced; one `False` outweighs
    all, and only people can say `True`.
    """
    last = [
        words[-1]
        for said in history(feedback).values()
        if (words := [one for one in said if one.consent is not None])
    ]
    if any(one.consent is False for one in last):
        return False
    return True if any(one.source in _PEOPLE for one in last) else None


def judges(feedback: Iterable[Feedback], judged: Collection[str]) -> dict[Identity, bool]:
    """What models said, and whether of themselves. `judged` as for `is_own_judge`."""
    return {
        one.identity: is_own_judge(one, judged) for one in feedback if one.source is Source.MODEL
    }


def is_own_judge(one: Feedback, judged: Iterable[str]) -> bool:
    """Whether a model judges itself. `judged`: the model's id, and the pseudonym of that id."""
    return one.source is Source.MODEL and bool({one.user, one.author} & set(judged))
