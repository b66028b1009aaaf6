"""Examples decode to what they always meant; generated files are what the models say."""

from datetime import UTC, datetime
from pathlib import Path

from deploy.schemas import files
from shared.codec import fingerprint, parse
from shared.events.experiment import ExperimentEvent
from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent

EXAMPLES = Path(__file__).parent / "examples"


def test_the_operation_example_decodes() -> None:
    event = parse(OperationEvent, (EXAMPLES / "operation.v1.json").read_bytes())
    assert event.occurred_at == datetime(2026, 11, 20, 8, 30, 15, 123456, tzinfo=UTC)
    assert (event.model_id, event.success, event.response_time_ms) == ("gpt-4o-mini", False, 812.5)
    assert event.metadata == {"region": "eu", "attempt": 2, "cached": False, "score": 0.5}
    # The fingerprint is stored: it must not change with a new field or another formatting.
    assert fingerprint(event).hex() == "4f1c94e25f41e227a12178a1152379ec"


def test_the_feedback_example_decodes() -> None:
    event = parse(FeedbackEvent, (EXAMPLES / "feedback.v1.json").read_bytes())
    assert (event.rating, event.helpful, event.model_id, event.source) == (2, False, None, "user")
    assert event.training_consent is True


def test_the_exposure_example_decodes() -> None:
    event = parse(ExposureEvent, (EXAMPLES / "exposure.v1.json").read_bytes())
    assert (event.unit_id, event.variant, event.epoch) == ("u-17", "b", 1)
    assert event.context == {"via": "ofrep", "model_id": "gpt-4o-mini"}


def test_the_experiment_example_decodes() -> None:
    event = parse(ExperimentEvent, (EXAMPLES / "experiment.v1.json").read_bytes())
    assert (event.state, event.verdict, event.winner) == ("paused", "STOP_HARM", None)
    assert (event.effects[0].low, event.effects[0].p_value) == (-0.031, None)
    assert (event.samples, event.actor) == ({"a": 2114, "b": 2098}, None)


def test_generated_files_are_up_to_date() -> None:
    assert {path: path.read_text() for path in files()} == files()
