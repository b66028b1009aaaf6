"""Examples decode to what they always meant; generated files are what the models say."""

import json
from datetime import UTC, datetime
from pathlib import Path

from deploy.schemas import DOCS, files
from shared.codec import fingerprint, parse
from shared.events.erasure import ErasureEvent, ErasureReceiptEvent
from shared.events.experiment import ExperimentEvent
from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.proof import HEADER
from shared.topics import REGISTER

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


def test_the_erasure_examples_decode() -> None:
    asked = parse(ErasureEvent, (EXAMPLES / "erasure.v1.json").read_bytes())
    assert (asked.mode, asked.kind, asked.erased_from) == ("erase", "user", None)
    told = parse(ErasureReceiptEvent, (EXAMPLES / "erasurereceipt.v1.json").read_bytes())
    assert (told.service, told.store, told.removed) == ("ingest", "kafka", None)
    assert told.erasure_id == asked.erasure_id


def test_foreign_producers_learn_of_the_proof() -> None:
    said = json.loads((DOCS / "asyncapi.json").read_text())["components"]["messages"]
    of_events = {name: one for name, one in said.items() if not name.endswith("DeadLetter")}
    assert len(of_events) == len(REGISTER)
    assert all(HEADER in one["headers"]["properties"] for one in of_events.values())


def test_generated_files_are_up_to_date() -> None:
    assert {path: path.read_text() for path in files()} == files()
