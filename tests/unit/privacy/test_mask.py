"""Texts are masked, left away or kept: never stored as they came unless that is allowed."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from services.ingest.domain.batch import Read, masked_read
from services.ingest.domain.dead import dead_letter
from services.ingest.domain.rows import FEEDBACK_COLUMNS, OPERATION_COLUMNS, feedback_row
from services.ingest.domain.rows import operation_row as row_of
from shared import telemetry
from shared.codec import fingerprint
from shared.errors import InvalidRecordError, Reason
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.privacy.mask import Mask, Patterns, masking
from shared.privacy.mask_process import MaskProcess
from shared.privacy.texts import letter_without, texts_of, without_texts
from shared.settings import MaskSettings
from tests.integration.privacy.parts import LogRecord

HOOKS = "tests.unit.privacy.hooks"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CARD, IBAN = "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"


def operation(**changes: object) -> OperationEvent:
    fields: dict[str, object] = {
        "event_id": uuid4(),
        "tenant_id": "acme",
        "occurred_at": NOON,
        "operation_id": "op-1",
        "model_id": "gpt",
        "success": True,
        "response_time_ms": 5.0,
    }
    return OperationEvent.model_validate(fields | changes)


def feedback(**changes: object) -> FeedbackEvent:
    fields: dict[str, object] = {
        "event_id": uuid4(),
        "tenant_id": "acme",
        "occurred_at": NOON,
        "operation_id": "op-1",
    }
    return FeedbackEvent.model_validate(fields | changes)


@pytest.fixture
async def picky() -> AsyncIterator[MaskProcess]:
    hook = MaskProcess(f"{HOOKS}:picky", 1.0)
    yield hook
    await hook.close()


def failures(why: str) -> float:
    return telemetry.MASK_FAILURES.labels(why)._value.get()


async def test_every_text_of_an_event_is_masked_and_nothing_else() -> None:
    event = operation(
        input_text=f"I am anna@example.com, {CARD}",
        output_text=f"Pay to {IBAN} or call +49 30 901820",
        error_message="no mailbox anna@example.com",
        metadata={"who": "anna@example.com", "n": 4111111111111111, "ok": True},
        user_id="anna@example.com",
    )
    (masked,) = await Mask(Patterns(), "closed").events([event])
    said = masked.model_dump_json(exclude={"user_id"})
    for secret in ("anna@", CARD, IBAN, "901820"):
        assert secret not in said
    assert masked.metadata == {"who": "[EMAIL]", "n": 4111111111111111, "ok": True}
    assert masked.user_id == event.user_id  # becomes a pseudonym, the same with and without a mask
    assert masked.identity == event.identity


async def test_what_tells_repeats_apart_is_what_came() -> None:
    event = operation(input_text="anna@example.com")
    (masked,) = await Mask(Patterns(), "closed").events([event])
    read = masked_read(Read(event, 0, LogRecord("t", 0, 1, 0, 1, b"k", b"raw anna@")), masked)
    row = row_of(read, None, lambda *_: "p", content_free=False)
    assert row[OPERATION_COLUMNS.index("payload_hash")] == fingerprint(event)
    assert row[OPERATION_COLUMNS.index("input_text")] == "[EMAIL]"
    letter = dead_letter(read.record, InvalidRecordError(Reason.EVENT_ID_REUSE, ""))
    assert letter.record_value is not None
    assert b"anna@" not in letter.record_value


async def test_two_services_make_the_same_of_it() -> None:
    event = feedback(comment=f"Call me: {CARD}", correction="Ask bob@example.com.")
    one, other = [(await Mask(Patterns(), "closed").events([event]))[0] for _ in range(2)]
    assert one == other
    again = (await Mask(Patterns(), "closed").events([one]))[0]
    assert again == one  # a redriven letter is masked twice


async def test_code_of_ones_own_is_asked_in_its_own_process(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text("def hide(text):\n    return text.upper()\n")
    for where, said in ((f"{HOOKS}:shout", "[NAME] is here"), (f"{file}:hide", "ANNA IS HERE")):
        async with masking(MaskSettings(mask=where)) as mask:
            assert mask is not None
            assert await mask.texts(["Anna is here"]) == [said]


@pytest.mark.parametrize("how", ["raise", "number", "nul", "surrogate", "grow", "end"])
async def test_a_text_on_which_it_fails_is_left_away_and_others_are_not(
    picky: MaskProcess, how: str
) -> None:
    before = failures("error")
    mask = Mask(picky, "closed")
    assert await mask.texts(["good", how, "good"]) == ["[HIDDEN]", None, "[HIDDEN]"]
    assert failures("error") == before + 1
    assert await Mask(picky, "open").texts([how]) == [how]
    (event,) = await mask.events([operation(input_text=how, output_text="good")])
    assert (event.input_text, event.output_text) == (None, "[HIDDEN]")
    (said,) = await mask.events([feedback(comment=how, metadata={"a": how, "b": 1})])
    assert (said.comment, said.metadata) == (None, {"b": 1})


async def test_a_text_that_takes_too_long_is_left_away_and_many_are_not_all_waited_for() -> None:
    hook = MaskProcess(f"{HOOKS}:picky", 0.3)
    try:
        await hook.hide(["good"])  # loads it
        timeouts, skipped = failures("timeout"), failures("skipped")
        found = await Mask(hook, "closed").texts(["sleep", "good", *["sleep"] * 50])
        assert found == [None, "[HIDDEN]", *[None] * 50]
        assert failures("timeout") == timeouts + 3
        assert failures("skipped") == skipped + 48
        assert await Mask(hook, "open").texts(["sleep"]) == ["sleep"]
        assert await Mask(hook, "closed").texts(["good"]) == ["[HIDDEN]"]
    finally:
        await hook.close()


@pytest.mark.parametrize("where", ["nowhere.at:all", f"{HOOKS}:nothing", "no-colon", "/no/f.py:x"])
async def test_a_mask_that_is_not_there_ends_the_process(where: str) -> None:
    with pytest.raises(SystemExit, match="ASSAY_MASK is wrong"):
        async with masking(MaskSettings(mask=where)):
            pass


async def test_a_mask_that_always_fails_ends_the_process_though_it_fails_open(
    tmp_path: Path,
) -> None:
    file = tmp_path / "own.py"
    file.write_text("def hide(text):\n    raise KeyError(text)\n")
    with pytest.raises(SystemExit, match="fails"):
        async with masking(MaskSettings(mask=f"{file}:hide", mask_fails="open")):
            pass


async def test_what_became_no_event_is_masked_too() -> None:
    mask = Mask(Patterns(), "closed")
    odd = {"tenant_id": "acme", "inputText": "anna@example.com", "data": {"x": ["b@example.com"]}}
    letter = await mask.letter(json.dumps(odd).encode())
    assert letter is not None
    assert json.loads(letter) == {
        "tenant_id": "acme",
        "inputText": "[EMAIL]",
        "data": {"x": ["[EMAIL]"]},
    }
    assert await mask.letter(b'{"cut off": "anna@example.com') == b'{"cut off": "[EMAIL]'
    plain = b'{ "tenant_id":  "acme" }'
    assert await mask.letter(plain) == plain
    before = failures("unreadable")
    assert await mask.letter(b"\xff anna@example.com") is None
    assert failures("unreadable") == before + 1
    assert await Mask(Patterns(), "open").letter(b"\xff") == b"\xff"


async def test_a_name_that_is_too_long_for_one_is_taken_for_a_text() -> None:
    text = "anna@example.com " * 20
    letter = await Mask(Patterns(), "closed").letter(json.dumps({"model_id": text}).encode())
    assert letter is not None
    assert b"anna@" not in letter


def test_without_content_nothing_that_may_be_a_text_stays() -> None:
    event = operation(
        input_text="a", output_text="b", error_message="c", metadata={"w": "d", "n": 1, "t": True}
    )
    assert texts_of(without_texts(event)) == []
    assert without_texts(event).metadata == {"n": 1, "t": True}
    read = Read(feedback(comment="e", correction="f", metadata={"w": "g"}), 0, record())
    row = feedback_row(read, lambda *_: "p", content_free=True)
    for name in ("comment", "correction", "metadata"):
        assert row[FEEDBACK_COLUMNS.index(name)] is None


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b'{"operation_id":"op","comment":"x","odd":{"a":"x"},"rating":3}', None),
        (b'{"specversion":"1.0","data":{"operation_id":"op","input_text":"x","l":["x"]}}', None),
        (b'{"operation_id":"op","comment":"x', b""),
        (b"\xff", b""),
        (b'["x"]', b""),
    ],
)
def test_a_letter_without_content_keeps_what_names_things(value: bytes, kept: bytes | None) -> None:
    found = letter_without(value)
    if kept is not None:
        assert found is None
        return
    assert found is not None
    assert b'"x"' not in found
    assert b'"operation_id":"op"' in found


def record() -> LogRecord:
    return LogRecord("t", 0, 1, 0, 1, b"k", b"{}")
