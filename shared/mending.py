"""The codec's slow path, for values that look unusual or were refused.

It parses with patience, mends what the contract allows to mend (explicit nulls, NUL), and says in
our words what is wrong.
"""

import json
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from shared.errors import InvalidRecordError, Reason
from shared.events.base import MAX_DEPTH, Event

E = TypeVar("E", bound=Event)

MOST_NAMED = 10
RANKED = (
    Reason.UNSUPPORTED_VERSION,
    Reason.MISSING_FIELD,
    Reason.BAD_TIME,
    Reason.INVALID_FIELD,
)


def mend(model: type[E], text: str, *, structured: bool = False) -> E:
    """Read an event, or the data of a structured CloudEvent; raises only `InvalidRecordError`."""
    body = _object(text)
    ce_id = body.get("id") if structured else None
    if structured:
        body = _data_of(body)
    # Explicit null means absent; NUL can be stored nowhere and carries nothing.
    body = {key: _without_nul(item) for key, item in body.items() if item is not None}
    try:
        event: E = model.__pydantic_validator__.validate_json(to_json(body))
    except ValidationError as error:
        raise _said(_ranked(error)[0]) from error
    except ValueError as error:
        raise InvalidRecordError(Reason.BAD_ENCODING, "holds a lone surrogate") from error
    if ce_id is not None and ce_id != str(event.event_id):
        raise InvalidRecordError(Reason.BAD_HEADER, "the CloudEvent's id is not the event_id")
    return event


def _data_of(body: dict[str, Any]) -> dict[str, Any]:
    data = body.get("data")
    if not isinstance(data, dict):
        raise InvalidRecordError(
            Reason.MISSING_FIELD, "a structured CloudEvent needs an object as data", "/data"
        )
    return data


def _object(text: str) -> dict[str, Any]:
    _check_depth(text)
    try:
        body = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        if _holds_lone_surrogate(text):
            raise InvalidRecordError(Reason.BAD_ENCODING, "holds a lone surrogate") from error
        raise InvalidRecordError(Reason.INVALID_JSON, str(error)) from error
    if not isinstance(body, dict):
        raise InvalidRecordError(Reason.INVALID_FIELD, "the value must be a JSON object")
    return body


def _holds_lone_surrogate(text: str) -> bool:
    """Whether that is all that is wrong: the standard library reads such escapes, UTF-8 cannot."""
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except ValueError:
        return False
    return False


def _check_depth(text: str) -> None:
    depth, in_string, escaped = 0, False, False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                raise InvalidRecordError(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH}")
        elif character in "}]":
            depth -= 1


def _without_nul(item: Any) -> Any:
    if isinstance(item, str):
        return item.replace("\0", "")
    if isinstance(item, dict):
        return {_without_nul(key): _without_nul(value) for key, value in item.items()}
    if isinstance(item, list):
        return [_without_nul(value) for value in item]
    return item


def all_wrong(error: InvalidRecordError) -> list[InvalidRecordError]:
    """An error of `mend` and what else is wrong, for those who can put it all right at once."""
    if not isinstance(error.__cause__, ValidationError):
        return [error]
    found = {error.pointer: error}
    for one in _ranked(error.__cause__):
        said = _said(one)
        found.setdefault(said.pointer, said)  # metadata fails once for each type it could have
        if len(found) == MOST_NAMED:
            break
    return list(found.values())


def _ranked(error: ValidationError) -> list[ErrorDetails]:
    """Pydantic's errors without values, the most telling first."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    return sorted(errors, key=lambda one: RANKED.index(_reason(one["type"], one["loc"])))


def _said(error: ErrorDetails) -> InvalidRecordError:
    """An error of pydantic's in our words."""
    names = [str(part) for part in error["loc"] if not str(part).startswith("function-")]
    message = error["msg"].removeprefix("Value error, ")
    if names[:1] == ["metadata"] and len(names) > len(("metadata", "name")):
        names, message = names[:2], "Input should be a string, a number or a boolean"
    pointer = "/" + "/".join(names) if names else ""
    detail = f"{'.'.join(names)}: {message}".removeprefix(": ")
    return InvalidRecordError(_reason(error["type"], error["loc"]), detail, pointer)


def _reason(kind: str, loc: tuple[int | str, ...]) -> Reason:
    if loc[:1] == ("schema_version",):
        return Reason.UNSUPPORTED_VERSION
    if kind == "missing":
        return Reason.MISSING_FIELD
    if loc[:1] == ("occurred_at",):
        return Reason.BAD_TIME
    return Reason.INVALID_FIELD
