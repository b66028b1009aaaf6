"""Which events a mark fits: by all its names, in its time, of its tenant."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.privacy.marks import Mark, Marks
from shared.privacy.named import fit_of, members_of
from shared.privacy.names import Names

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMES = Names(b"a secret of tests, long enough")


def marks(since: datetime | None = None, **named: str) -> Marks:
    """Marks with one, of acme, up to noon."""
    if "user_id" in named:
        named["user_id"] = NAMES.pseudonym("acme", named["user_id"])
    digests = {field: NAMES.digest("acme", field, value) for field, value in named.items()}
    found = Marks(NAMES)
    found.add([Mark(7, "acme", digests, since, NOON)])
    return found


def operation(**changes: object) -> OperationEvent:
    fields = {
        "event_id": uuid4(),
        "tenant_id": "acme",
        "occurred_at": NOON - timedelta(minutes=1),
        "operation_id": "op-1",
        "model_id": "gpt",
        "success": True,
        "response_time_ms": 5.0,
        "user_id": "anna",
        "session_id": "s-1",
        **changes,
    }
    return OperationEvent.model_validate(fields)


def feedback(**changes: object) -> FeedbackEvent:
    fields = {
        "event_id": uuid4(),
        "tenant_id": "acme",
        "occurred_at": NOON - timedelta(minutes=1),
        "operation_id": "op-2",
        "rating": 5,
        "user_id": "anna",
        **changes,
    }
    return FeedbackEvent.model_validate(fields)


def exposure(unit: str) -> ExposureEvent:
    fields = {
        "event_id": uuid4(),
        "tenant_id": "acme",
        "occurred_at": NOON - timedelta(minutes=1),
        "test_id": "t",
        "unit_id": unit,
        "variant": "a",
    }
    return ExposureEvent.model_validate(fields)


@pytest.mark.parametrize(
    ("event", "is_erased"),
    [
        pytest.param(operation(), True, id="her operation"),
        pytest.param(feedback(), True, id="her feedback"),
        pytest.param(exposure("anna"), True, id="she as a unit"),
        pytest.param(operation(user_id="bob"), False, id="another's"),
        pytest.param(operation(user_id=None), False, id="nobody's"),
        pytest.param(operation(tenant_id="globex"), False, id="of another tenant"),
        pytest.param(operation(occurred_at=NOON), False, id="at the very instant"),
        pytest.param(exposure("bob"), False, id="another unit"),
    ],
)
def test_a_person_is_found_by_her_pseudonym(
    event: OperationEvent | FeedbackEvent | ExposureEvent, is_erased: bool
) -> None:
    fit = marks(user_id="anna").erase(event)
    assert (fit is not None) is is_erased
    assert fit is None or fit.with_unit


def test_a_filter_fits_what_bears_all_its_names_in_its_time() -> None:
    found = marks(NOON - timedelta(hours=1), model_id="gpt", session_id="s-1")
    assert found.erase(operation())
    assert not found.erase(operation(session_id="s-2"))
    assert not found.erase(operation(occurred_at=NOON - timedelta(hours=2)))
    assert not found.erase(feedback(model_id="gpt"))


def test_of_many_filters_each_is_found() -> None:
    found = Marks(NAMES)
    for number in range(50):
        for since in (None, NOON - timedelta(hours=1)):
            names = {"model_id": "gpt", "session_id": f"s-{number}"}
            digests = {field: NAMES.digest("acme", field, value) for field, value in names.items()}
            found.add([Mark(number + 1, "acme", digests, since, NOON)])
    assert all(found.erase(operation(session_id=f"s-{number}")) for number in range(50))
    assert not found.erase(operation(session_id="s-50"))
    assert not found.erase(operation(session_id="s-1", model_id="other"))


def test_of_filters_alike_the_last_counts() -> None:
    found = Marks(NAMES)
    names = {"model_id": "gpt", "session_id": "s-1"}
    digests = {field: NAMES.digest("acme", field, value) for field, value in names.items()}
    for hours in (2, 0, 1):
        found.add([Mark(3 - hours, "acme", digests, None, NOON - timedelta(hours=hours))])
    assert found.erase(operation())


def test_an_operation_takes_its_feedback_with_it() -> None:
    found = marks(operation_id="op-2")
    assert found.erase(feedback(user_id="bob"))
    assert found.erase(operation(operation_id="op-2"))
    assert not found.erase(operation())


def test_a_digest_tells_nobody_and_differs_by_tenant_and_field() -> None:
    digests = {
        NAMES.digest(tenant, field, "anna")
        for tenant in ("acme", "globex")
        for field in ("user_id", "session_id")
    }
    assert len(digests) == 4
    assert not any("anna" in one for one in digests)


@pytest.mark.parametrize(
    "value",
    [
        b'{"tenant_id": "acme", "user_id": "anna"',
        b'{"tenant_id":"acme","user_id":"anna","success":"yes"}',
        b'{"user_id" : "an\\u006ea", "tenant_id": "acme", "occurred_at": "yesterday"}',
        b'\xff\xfe{"tenant_id":"acme","user_id":"anna"}',
        b'[{"tenant_id":"acme","user_id":"bob"},{"user_id":"anna"}]',
        b'{"tenant_id":"acme","unit_id":"anna"}',
        b'{"tenant\\u005fid":"acme","user\\u005Fid":"anna"',
        b'{"note":"two\\\nlines","tenant_id":"acme","user_id":"anna"',
    ],
)
def test_a_name_is_found_in_what_is_no_event(value: bytes) -> None:
    known = marks(user_id="anna")
    assert fit_of(known, None, NOON - timedelta(minutes=1), value)
    assert not fit_of(marks(user_id="carl"), None, NOON - timedelta(minutes=1), value)
    assert not fit_of(known, "globex", NOON - timedelta(minutes=1), value)


def test_a_dead_letter_that_comes_again_is_as_old_as_it_says() -> None:
    value = b'{"tenant_id":"acme","user_id":"anna","occurred_at":"2026-01-01T11:00:00Z"}'
    assert fit_of(marks(user_id="anna"), None, NOON + timedelta(days=1), value)
    assert not fit_of(marks(user_id="anna"), None, NOON, value.replace(b"T11", b"T13"))


def test_what_holds_no_member_names_nobody() -> None:
    assert members_of(None) == {}
    assert members_of(b"\x00\x01 anna") == {}
