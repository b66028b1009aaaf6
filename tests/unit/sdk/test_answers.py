"""What is learned from providers' answers, by shape."""

from types import SimpleNamespace
from typing import Any

import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from tests.unit.sdk import shapes
from tests.unit.sdk.test_client import Sink, client

TOLD = {
    "input_tokens": 21,
    "output_tokens": 5,
    "cached_input_tokens": 16,
    "output_text": "Four.",
}


def objects(whole: Any) -> Any:
    """The same as objects with attributes, as providers' libraries give them."""
    if isinstance(whole, dict):
        return SimpleNamespace(**{name: objects(one) for name, one in whole.items()})
    return [objects(one) for one in whole] if isinstance(whole, list) else whole


def told(answer: Any, **options: Any) -> dict[str, Any]:
    sink = Sink()
    assay = client(sink, **{"capture_content": True, **options})
    with assay.operation("m") as operation:
        assert operation.read(answer) is answer
    assay.close()
    (event,) = sink.events()
    return {**event, "counted": assay.counters.read()}


@pytest.mark.parametrize("form", [dict, objects])
@pytest.mark.parametrize(
    ("answer", "more"),
    [
        (shapes.CHAT, {"reasoning_tokens": 2, "model_version": shapes.CHAT["model"]}),
        (shapes.RESPONSE, {"reasoning_tokens": 2, "model_version": shapes.CHAT["model"]}),
        (shapes.MESSAGE, {"model_version": shapes.MESSAGE["model"]}),
    ],
    ids=["chat completion", "response", "message"],
)
def test_an_answer_says_its_tokens_model_and_text(form: Any, answer: Any, more: Any) -> None:
    event = told(form(answer))
    assert {**TOLD, **more}.items() <= event.items()
    assert (event["model_id"], event["success"]) == ("m", True)


def test_the_types_of_openais_own_library_are_read_as_documented() -> None:
    chat = ChatCompletion.model_construct(**objects(shapes.CHAT).__dict__)
    response = Response.model_construct(**objects(shapes.RESPONSE).__dict__)
    assert TOLD.items() <= told(chat).items()
    assert TOLD.items() <= told(response).items()


def test_the_reason_for_the_end_joins_the_callers_metadata() -> None:
    sink = Sink()
    assay = client(sink)
    mine = {"tier": "gold"}
    with assay.operation("m", metadata=mine) as operation:
        operation.read(shapes.MESSAGE)
    assay.close()
    assert sink.events()[0]["metadata"] == {"tier": "gold", "finish_reason": "end_turn"}
    assert mine == {"tier": "gold"}


def test_a_response_that_failed_is_a_failure() -> None:
    event = told(shapes.FAILED)
    assert (event["success"], event["error_type"], event["error_message"]) == (
        False,
        "server_error",
        "no",
    )


def test_what_the_caller_has_set_stays() -> None:
    sink = Sink()
    assay = client(sink)
    with assay.operation("m", model_version="mine") as operation:
        operation.set(input_tokens=1).read(shapes.CHAT)
    assay.close()
    event = sink.events()[0]
    assert (event["model_version"], event["input_tokens"]) == ("mine", 1)


def test_without_content_the_text_stays() -> None:
    assert "output_text" not in told(shapes.CHAT, capture_content=False)


class Hostile:
    """Raises whatever it is asked."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@pytest.mark.parametrize("answer", [None, 17, "text", [], {}, {"usage": 3}, {"choices": [None]}])
def test_what_has_no_known_shape_says_nothing(answer: Any) -> None:
    event = told(answer)
    assert "input_tokens" not in event
    assert event["counted"] == {"sent": 1}


def test_what_cannot_be_read_costs_nothing_but_a_count() -> None:
    assert told(Hostile())["counted"] == {"sent": 1, "unread_answers": 1}


@pytest.mark.parametrize("count", [-1, True, "5", 2.5, None])
def test_what_is_no_count_is_not_taken_for_one(count: Any) -> None:
    event = told({"usage": {"input_tokens": count, "output_tokens": 7}})
    assert "input_tokens" not in event
    assert event["output_tokens"] == 7


def test_a_traced_function_reads_a_providers_answer_and_not_the_agents_own() -> None:
    sink = Sink()
    assay = client(sink)
    answers = [shapes.CHAT, {"model": "mine", "status": "failed"}, shapes.FAILED]

    @assay.traced("m")
    def ask(answer: Any) -> Any:
        return answer

    assert [ask(answer) for answer in answers] == answers
    assay.close()
    chat, own, failed = sink.events()
    assert chat["input_tokens"] == 21
    assert own["success"] is True
    assert "model_version" not in own
    assert failed["success"] is False


def test_tokens_of_several_answers_in_one_operation_add_up_and_what_was_set_stays() -> None:
    sink = Sink()
    assay = client(sink)
    with assay.operation("m") as operation:
        operation.set(reasoning_tokens=7)
        operation.read(shapes.CHAT)
        list(operation.stream(iter(shapes.MESSAGE_EVENTS)))
        operation.set(output_tokens=100)
        operation.read(shapes.RESPONSE)
    assay.close()
    (event,) = sink.events()
    assert (event["input_tokens"], event["cached_input_tokens"]) == (63, 48)
    assert (event["output_tokens"], event["reasoning_tokens"]) == (100, 7)
