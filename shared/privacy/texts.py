"""The texts of events and of what never became one, taken out, replaced or left away. Pure.

A text is what somebody wrote: prompts, answers, comments, corrections, messages of errors, and
whatever metadata says in words.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from pydantic_core import from_json, to_json

from shared.events.alert import AlertEvent
from shared.events.base import Event
from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent

TEXTS: Final = ("input_text", "output_text", "error_message", "comment", "correction")
METADATA: Final = "metadata"
MOST_NAME: Final = 128
"""A longer value of a field that names something is none, and may be a text."""
_CLOUD_EVENT = frozenset(
    {"specversion", "id", "source", "type", "time", "datacontenttype", "dataschema", "partitionkey"}
)
NAMING: Final = _CLOUD_EVENT.union(
    *(one.model_fields for one in (OperationEvent, FeedbackEvent, ExposureEvent, AlertEvent))
) - {*TEXTS, METADATA, "reason"}
"""Members of a record that hold no text."""

E = TypeVar("E", bound=Event)
Keep = Callable[[str], str | None]
"""What becomes of a text; `None`: it is left away."""


def texts_of(event: Event) -> list[str]:
    """Texts of an event, always in the same order."""
    return [text for _, text in _fields(event)] + [text for _, text in _words(event)]


def with_texts(event: E, texts: Sequence[str | None]) -> E:
    """The event with others in the places of `texts_of`; `None` leaves one away."""
    fields, words = list(_fields(event)), list(_words(event))
    changes: dict[str, Any] = {name: texts[at] for at, (name, _) in enumerate(fields)}
    if words:
        said = dict(getattr(event, METADATA))
        for at, (name, _) in enumerate(words, len(fields)):
            text = texts[at]
            if text is None:
                del said[name]
            else:
                said[name] = text
        changes[METADATA] = said or None
    return event.model_copy(update=changes) if changes else event


def without_texts(event: E) -> E:
    """The event without its texts; numbers and truths of metadata stay."""
    return with_texts(event, [None] * len(texts_of(event)))


def letter_texts(value: bytes) -> list[str] | None:
    """Whatever may be a text in a record that is no event; `None`: it is not readable."""
    found: list[str] = []

    def keep(text: str) -> str | None:
        found.append(text)
        return text

    return None if _rewritten(value, keep) is None else found


def letter_with(value: bytes, texts: Sequence[str | None]) -> bytes | None:
    """The record with others in the places of `letter_texts`; the same bytes where none differs."""
    before = letter_texts(value)
    if before is None or before == list(texts):
        return None if before is None else value
    following = iter(texts)
    return _rewritten(value, lambda _: next(following))


def letter_without(value: bytes) -> bytes | None:
    """The record without whatever may be a text; `None` where that cannot be told."""
    try:
        content = from_json(value)
    except ValueError:
        return None
    return to_json(_bare(content)) if isinstance(content, dict) else None


def said_tenant(value: bytes | None) -> str | None:
    """The tenant that a record names, if it can be read."""
    try:
        content = from_json(value or b"")
    except ValueError:
        return None
    for one in (content, content.get("data") if isinstance(content, dict) else None):
        if isinstance(one, dict) and isinstance(one.get("tenant_id"), str):
            return str(one["tenant_id"])
    return None


def _fields(event: Event) -> Iterator[tuple[str, str]]:
    said = event.__dict__
    for name in TEXTS:
        text = said.get(name)
        if text:
            yield name, text


def _words(event: Event) -> Iterator[tuple[str, str]]:
    for name, value in (event.__dict__.get(METADATA) or {}).items():
        if isinstance(value, str) and value:
            yield name, value


def _rewritten(value: bytes, keep: Keep) -> bytes | None:
    """JSON is rewritten string by string, other text as a whole; `None`: bytes are no text."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    try:
        content = from_json(value)
    except ValueError:
        kept = keep(text)
        return None if kept is None else kept.encode()
    return to_json(_walked(content, keep))


def _walked(content: Any, keep: Keep) -> Any:
    if isinstance(content, str):
        return keep(content) if content else content
    if isinstance(content, list):
        return [_walked(one, keep) for one in content]
    if isinstance(content, dict):
        return {
            name: one if _names(name, one) else _walked(one, keep) for name, one in content.items()
        }
    return content


def _names(name: str, value: Any) -> bool:
    return name in NAMING and isinstance(value, str) and len(value) <= MOST_NAME


def _bare(content: dict[str, Any]) -> dict[str, Any]:
    bare = {
        name: one
        for name, one in content.items()
        if _names(name, one) or (name in NAMING and isinstance(one, bool | int | float))
    }
    if isinstance(content.get("data"), dict):
        bare["data"] = _bare(content["data"])
    return bare
