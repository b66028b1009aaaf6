"""Tests by name: the gateway is asked in the background; without it the agent's default holds."""

import json
import threading
import time
from typing import Any

import pytest

from assay_sdk import Assay, Variant, experiments
from assay_sdk.experiments import Experiments
from assay_sdk.outcome import Counters
from tests.unit.sdk.test_client import Sink, told_of

DEFAULT = Variant("default", 1.0, is_control=True, model_id="gpt-4o")


def item(key: str = "smaller", **changes: Any) -> dict[str, Any]:
    """As the gateway's GET /ai/assignable-tests answers."""
    variants = [
        {"key": "a", "weight": 0.5, "is_control": True, "model_id": "gpt-4o"},
        {"key": "b", "weight": 0.5, "is_control": False, "model_id": "gpt-4o-mini"},
    ]
    weights = [{"variant": "a", "weight": 0.5}, {"variant": "b", "weight": 0.5}]
    epoch = {"salt": "s", "weights": weights, "places": [[0, 10_000]]}
    known = {"id": f"id-of-{key}", "key": key, "state": "running", "unit": "user_id"}
    more = {"traffic": 1.0, "exclusion_group": None, "winner": None}
    return {**known, **more, "variants": variants, "epochs": [epoch], **changes}


class Answers:
    """A gateway that gives each answer once, and the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.tags: list[str | None] = []

    def __call__(self, tag: str | None) -> tuple[int, str | None, bytes]:
        self.tags.append(tag)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, items = answer
        return status, "tag", json.dumps({"items": items}).encode()


def client(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> tuple[Assay, Sink]:
    monkeypatch.setattr("assay_sdk.client.fetching", lambda *_: answers)
    sink = Sink()
    return Assay(lambda: sink, tenant_id="acme", gateway=("http://x", "k")), sink


def test_a_test_is_found_by_its_key_and_its_id_and_told_of_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assay, sink = client(monkeypatch, Answers((200, [item()])))
    by_key, by_id = (
        assay.assignment(name, "u-1", wait_s=30) for name in ("smaller", "id-of-smaller")
    )
    assert by_key == by_id
    assert by_key[1] is True
    assert {assay.assignment("smaller", f"u-{n}")[0].model_id for n in range(50)} == {
        "gpt-4o",
        "gpt-4o-mini",
    }
    assert assay.close().complete
    assert sorted(told_of(sink)) == sorted(f"u-{n}" for n in range(50))


@pytest.mark.parametrize(
    "answer",
    [
        OSError("away"),
        ValueError("no such URL"),
        (200, [item("another")]),
        (200, [{"key": "smaller"}]),
        (200, None),
        (401, []),
        (503, []),
    ],
    ids=str,
)
def test_whatever_goes_wrong_the_agents_default_holds(
    monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    assay, sink = client(monkeypatch, Answers(answer))
    assert assay.assignment("smaller", "u-1", default="gpt-4o", wait_s=30) == (DEFAULT, False)
    assert assay.counters.read()["default_assignments"] == 1
    assay.close()
    assert sink.sent == []


def test_who_has_no_gateway_has_the_default() -> None:
    assay = Assay(Sink, tenant_id="acme")
    assert assay.assignment("smaller", "u-1", default="gpt-4o") == (DEFAULT, False)


def test_a_test_that_cannot_be_read_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assay, _ = client(monkeypatch, Answers((200, [{"key": "of the future"}, item()])))
    assert assay.assignment("smaller", "u-1", wait_s=30)[1] is True
    assert assay.counters.read()["experiment_errors"] == 1
    assay.close()


async def test_a_loop_does_not_wait_for_the_first_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    assay, _ = client(monkeypatch, Answers((200, [item()])))
    assert (await assay.aassignment("smaller", "u-1", wait_s=30))[1] is True
    await assay.aflush()
    assay.close()


def test_a_silent_gateway_is_waited_for_as_long_as_was_said() -> None:
    answered = threading.Event()

    def silent(_: str | None) -> Any:
        answered.wait()
        raise OSError("late")

    found = Experiments(silent, Counters())
    assert found.find("smaller", 0.01) is None
    assert not found.is_known()
    answered.set()


def test_all_calls_together_wait_for_a_silent_gateway_as_long_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered, waits = threading.Event(), []

    def silent(_: str | None) -> Any:
        answered.wait()
        raise OSError("late")

    clock = Clock()
    monkeypatch.setattr(experiments, "time", clock)
    found = Experiments(silent, Counters())

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        clock.now += seconds
        return False

    monkeypatch.setattr(found._asked, "wait", wait)
    for _ in range(4):
        assert found.find("smaller", 1.0) is None
        clock.now += 0.25
    assert waits == [1.0, 0.0, 0.0, 0.0]
    assert found.find("smaller", 3.0) is None
    assert waits[-1] == 1.0  # who has more patience has it from the first call on
    answered.set()


class Clock:
    """The monotonic clock, by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(experiments, "time", made)
    return made


def asked(answers: Answers, times: int) -> None:
    give_up_at = time.monotonic() + 20
    while len(answers.tags) < times or any(
        thread.name == "assay-experiments" for thread in threading.enumerate()
    ):
        assert time.monotonic() < give_up_at
        time.sleep(0.002)


def test_an_old_copy_answers_while_it_is_refreshed_and_is_asked_for_by_its_tag(
    clock: Clock,
) -> None:
    answers = Answers((200, [item()]), (304, []), (200, [item(state="stopped")]))
    found = Experiments(answers, Counters())
    assert found.find("smaller", 30) is not None
    asked(answers, 1)
    for times in (2, 3):
        clock.now += experiments.FRESH_S
        assert found.find("smaller", 0) is not None
        asked(answers, times)
    assert answers.tags == [None, "tag", "tag"]
    stopped = found.find("smaller", 0)
    assert stopped is not None
    assert not stopped.running


def test_a_copy_holds_while_the_gateway_is_away_but_not_for_ever(clock: Clock) -> None:
    answers = Answers((200, [item()]), OSError("away"))
    found = Experiments(answers, Counters())
    assert found.find("smaller", 30) is not None
    asked(answers, 1)
    clock.now += experiments.MOST_STALE_S
    assert found.find("smaller", 0) is not None
    asked(answers, 2)
    clock.now += 1
    assert found.find("smaller", 0) is None
