"""The states of a test and who moves it from one to the next; whatever is refused says why."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a test stands."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CONCLUDED = "concluded"


class Action(StrEnum):
    """What is done to a test; `conclude` follows a verdict, the others a person's wish."""

    START = "start"
    PAUSE = "pause"
    STOP = "stop"
    CONCLUDE = "conclude"


LIVE: Final = (State.RUNNING, State.PAUSED)
"""A test that has begun and not ended: it holds its units, also those of its exclusion group."""
ENDED: Final = (State.STOPPED, State.CONCLUDED)

_STEPS: Final = {
    (State.DRAFT, Action.START): State.RUNNING,
    (State.PAUSED, Action.START): State.RUNNING,
    (State.RUNNING, Action.PAUSE): State.PAUSED,
    (State.RUNNING, Action.STOP): State.STOPPED,
    (State.PAUSED, Action.STOP): State.STOPPED,
    (State.RUNNING, Action.CONCLUDE): State.CONCLUDED,
    (State.PAUSED, Action.CONCLUDE): State.CONCLUDED,
}
_WHY_NOT: Final = {
    State.DRAFT: "it has not begun: start it first",
    State.RUNNING: "it runs already",
    State.PAUSED: "it is paused already: start makes it go on, stop ends it",
    State.STOPPED: "it was stopped for good: make a new test with a key of its own",
    State.CONCLUDED: "it is concluded: make a new test with a key of its own",
}


class NotNowError(Exception):
    """What was asked for cannot be done to a test as it is now; the text says why."""


def step(state: State, action: Action) -> State:
    """The state after an action; raises `NotNowError`."""
    after = _STEPS.get((state, action))
    if after is None:
        raise NotNowError(f"The test cannot {action}: {_WHY_NOT[state]}.")
    return after
