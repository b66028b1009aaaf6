"""A server that could not be looked at: that is said once, and not by each of its checks."""

from collections.abc import Iterable

from deploy.doctor.facts import Unseen, Why
from deploy.doctor.finding import Finding, fail, unseen
from deploy.doctor.judging.settings import WHERE

START = "start it, or mend {setting}; `assay up` starts one of its own where none is named"
REFUSED = "mend what is named; docs/security-transport.md says how each is let in"


def judge_unseen(name: str, setting: str, facts: Unseen, others: Iterable[str]) -> list[Finding]:
    """One failure, and the checks that nobody could make."""
    then = {
        Why.UNSET: WHERE,
        Why.AWAY: START.format(setting=setting),
        Why.REFUSED: REFUSED,
    }[facts.why]
    return [fail(name, facts.what, then), *unseen(others, f"see {name}")]
