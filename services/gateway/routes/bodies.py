"""Read a request's body within its limits."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, get_args

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, from_json, to_json

from services.gateway.domain.names import not_known
from services.gateway.domain.problems import Problem

MAX_BODY = 1024 * 1024
JSON_TYPES = ("application/json",)
ARRIVES_WITHIN_S = 15
MOST_ERRORS = 20

M = TypeVar("M", bound=BaseModel)


def parsed(body: bytes, model: type[M]) -> M:
    """A body as an object of `model`: 400 when it is no JSON, 422 that names each wrong field."""
    try:
        content = from_json(body or b"{}")
    except ValueError as error:
        raise Problem("bad-request", f"The body is not JSON: {error}.") from error
    _refuse_nul(content, "")
    try:
        return model.model_validate_json(to_json(_without_nulls(content, model)))
    except ValidationError as error:
        raise _refused(error, model) from error


def _without_nulls(content: Any, model: type[BaseModel]) -> Any:
    """An explicit null in a field is the same as absent; in a map of values it is a mistake.

    It stays where it says what leaving the field out does not: a limit that is not to be judged.
    """
    if not isinstance(content, dict):
        return content
    out = {}
    for name, value in content.items():
        field = model.model_fields.get(name)
        if field is None or value is not None or _null_says_something(field):
            inner = field and _model_in(field.annotation)
            out[name] = _without_nulls(value, inner) if inner else value
    return out


def _null_says_something(field: FieldInfo) -> bool:
    is_asked_for = field.is_required() or field.get_default() is None
    return not is_asked_for and type(None) in get_args(field.annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, if it holds one."""
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def _model_at(model: type[BaseModel], place: Iterable[str | int]) -> type[BaseModel] | None:
    """The model that a place in a body of `model` holds, if it holds one."""
    found: type[BaseModel] | None = model
    for part in place:
        field = found.model_fields.get(str(part)) if found else None
        found = _model_in(field.annotation) if field else None
    return found


def _refuse_nul(content: Any, pointer: str) -> None:
    if isinstance(content, str) and "\0" in content:
        error = {"pointer": pointer, "code": "bad_encoding", "message": "holds a NUL"}
        raise Problem("invalid", f"{pointer[1:]}: holds a NUL.", errors=[error])
    if isinstance(content, dict):
        for name, value in content.items():
            _refuse_nul(name, f"{pointer}/{name}")
            _refuse_nul(value, f"{pointer}/{name}")
    if isinstance(content, list):
        for place, value in enumerate(content):
            _refuse_nul(value, f"{pointer}/{place}")


def described(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI of a body that is read by `parsed`."""
    schema = model.model_json_schema()
    content = {"application/json": {"schema": _inlined(schema, schema.pop("$defs", {}))}}
    return {"required": True, "content": content}


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    """A schema without references into itself: OpenAPI would look for them elsewhere."""
    if isinstance(part, list):
        return [_inlined(one, definitions) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return {
            **_inlined(definitions[name], definitions),
            **{k: v for k, v in part.items() if k != "$ref"},
        }
    return {name: _inlined(one, definitions) for name, one in part.items()}


def _refused(error: ValidationError, model: type[BaseModel]) -> Problem:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    errors = [
        {
            "pointer": "".join(f"/{part}" for part in one["loc"]),
            "code": one["type"],
            "message": _message(one, model),
        }
        for one in found[:MOST_ERRORS]
    ]
    name = errors[0]["pointer"][1:].replace("/", ".")
    message = errors[0]["message"]
    return Problem("invalid", f"{name}: {message}." if name else f"{message}.", errors=errors)


def _message(error: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong; where a name is not known, also which are."""
    *place, name = error["loc"] or ("",)
    there = _model_at(model, place) if error["type"] == "extra_forbidden" else None
    return not_known(str(name), there.model_fields) if there else error["msg"]


async def json_body(request: Request, bring: Callable[[int], None]) -> bytes:
    """The body of a JSON request; 413 and 415 as soon as they are certain.

    `bring` is told of every piece's size, and may refuse it.
    """
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() not in JSON_TYPES:
        raise Problem("unsupported-media-type", f"Send application/json, not {kind[:64]!r}.")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise Problem("unsupported-media-type", "Send the body without Content-Encoding here.")
    try:
        async with asyncio.timeout(ARRIVES_WITHIN_S):
            return await _whole(request, bring)
    except TimeoutError as error:
        detail = f"Send the whole body within {ARRIVES_WITHIN_S} s."
        raise Problem("timeout", detail) from error


async def _whole(request: Request, bring: Callable[[int], None]) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        bring(len(chunk))
        body += chunk
        if len(body) > MAX_BODY:
            raise Problem("too-large", f"A body has at most {MAX_BODY} bytes; send fewer events.")
    return bytes(body)
