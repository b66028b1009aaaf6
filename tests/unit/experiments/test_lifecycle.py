"""What may follow what in a test's life."""

import pytest

from shared.experiments.lifecycle import Action, NotNowError, State, step

LEGAL = {
    (State.DRAFT, Action.START): State.RUNNING,
    (State.PAUSED, Action.START): State.RUNNING,
    (State.RUNNING, Action.PAUSE): State.PAUSED,
    (State.RUNNING, Action.STOP): State.STOPPED,
    (State.PAUSED, Action.STOP): State.STOPPED,
    (State.RUNNING, Action.CONCLUDE): State.CONCLUDED,
    (State.PAUSED, Action.CONCLUDE): State.CONCLUDED,
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_every_step_leads_somewhere_or_says_why_not(state: State, action: Action) -> None:
    if (state, action) in LEGAL:
        assert step(state, action) is LEGAL[state, action]
    else:
        with pytest.raises(NotNowError, match=f"cannot {action}: it .*"):
            step(state, action)


def test_a_refusal_names_the_way_out() -> None:
    with pytest.raises(NotNowError, match="make a new test"):
        step(State.STOPPED, Action.START)
    with pytest.raises(NotNowError, match="start it first"):
        step(State.DRAFT, Action.PAUSE)
