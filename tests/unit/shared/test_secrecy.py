"""What no log shows."""

import json
import logging
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared.logs import MAX_FIELD, configure_logging
from shared.secrecy import HIDDEN, hidden, hidden_field, hidden_text

PLANTED = "planted9f1cSECRET"


pytestmark = pytest.mark.usefixtures("log_as_before")


@pytest.mark.parametrize(
    "text",
    [
        f"assay_AbCdEfGh1234_{PLANTED}",
        f"Authorization: Bearer {PLANTED}",
        f"{{'authorization': 'Basic {PLANTED}=='}}",
        f"cannot reach postgresql://svc_api:{PLANTED}@db:5432/assay",
        f"redis://:{PLANTED}@cache/0 is away",
        f"rediss://default:{PLANTED}@x@cache:6380",
        f"eyJhbGciOiJIUzI1NiJ9.eyJ{PLANTED}.{PLANTED}",
        f"whsec_{PLANTED}",
        f"https://hooks.slack.com/services/T0/B0/{PLANTED}",
        f"password={PLANTED}&x=1",
        f'"api_key": "{PLANTED}"',
        f"sasl_plain_password='{PLANTED}'",
        f"invalid input for query argument $3: 'I live at {PLANTED}' (expected int)",
        f"duplicate key\nDETAIL:  Key (tenant_id, name)=(acme, {PLANTED}) already exists.",
        f"1 error [type=int_parsing, input_value='{PLANTED}', input_type=str]",
    ],
)
def test_what_looks_like_a_credential_or_quotes_a_value_is_hidden(text: str) -> None:
    assert PLANTED not in hidden_text(text)
    assert PLANTED not in json.dumps(hidden({"a": [{"b": (text,)}], text: text.encode()}[text]))


@pytest.mark.parametrize(
    "name",
    [
        *("password", "postgres_dsn", "Authorization", "x-api-key", "secret_key", "cookie"),
        *("set-cookie", "access_token", "payload", "input_text", "comment", "credentials"),
    ],
)
def test_some_fields_are_never_shown(name: str) -> None:
    assert hidden_field(name, PLANTED) == HIDDEN
    assert hidden({"why": {name: [PLANTED]}}) == {"why": {name: HIDDEN}}


def test_what_people_look_for_stays() -> None:
    said = {"tokens": 12, "key_id": "AbC", "why": "redis://cache:6379/0 is away", "seconds": 0.5}
    assert hidden(said) == said
    assert hidden_text("postgresql://svc_api@db/assay") == "postgresql://svc_api@db/assay"


@given(st.recursive(st.text() | st.integers() | st.binary(), st.lists))
def test_anything_can_be_hidden(value: Any) -> None:
    json.dumps(hidden(value), default=str)


@pytest.mark.parametrize("unit", ["a-", "a_", "a", "password", "eyJaaaaaa.", "://a:", "://"])
def test_no_text_takes_longer_than_others(unit: str) -> None:
    """An expression that looks ahead from each letter would take an hour for these."""
    assert hidden_text(unit * 100_000)


def test_own_lines_libraries_and_tracebacks_are_all_looked_through(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Model(BaseModel):
        number: int

    configure_logging("gateway", "debug")
    structlog.get_logger().warning("away", why=f"postgresql://u:{PLANTED}@h/d", token=PLANTED)
    logging.getLogger("aiokafka").error("failed with sasl_plain_password=%r", PLANTED)
    try:
        Model.model_validate({"number": PLANTED})
    except ValidationError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")
    structlog.get_logger().info("long", why="x" * 9_000)
    lines = capsys.readouterr().err
    assert PLANTED not in lines
    assert len(lines.splitlines()) == 4
    assert all(
        len(one) <= MAX_FIELD + 1
        for line in lines.splitlines()
        for one in json.loads(line).values()
        if isinstance(one, str)
    )
