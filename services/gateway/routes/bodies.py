"""Read a request's body within its limits."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, get_args

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import from_json, to_json

from services.gateway.domain.depth import MOST_DEPTH, is_too_deep, refuse_too_many_parts
from services.gateway.domain.problems import Problem
from services.gateway.domain.refusals import model_in, refused

MAX_BODY = 1024 * 1024
JSON_TYPES = ("application/json",)
ARRIVES_WITHIN_S = 15
NULL = {"type": "null"}

M = TypeVar("M", bound=BaseModel)


def parsed(body: bytes, model: type[M]) -> M:
    """A body as an object of `model`: 400 when it is no JSON, 422 that names each wrong field."""
    if is_too_deep(body):
        message = f"objects and lists are within one another at most {MOST_DEPTH} times"
        error = {"pointer": "", "code": "too_deep", "message": message}
        raise Problem("invalid", f"The body is too deep: {message}.", errors=[error])
    refuse_too_many_parts(body)
    try:
        content = from_json(body or b"{}")
    except ValueError as error:
        raise Problem("bad-request", f"The body is not JSON: {error}.") from error
    _refuse_nul(content, "")
    try:
        # Strict whatever the model is elsewhere: true is no 1, as the document says.
        return model.model_validate_json(to_json(_without_nulls(content, model)), strict=True)
    except ValidationError as error:
        raise refused(error, model) from error


def _without_nulls(content: Any, model: type[BaseModel]) -> Any:
    """An explicit null in a field is the same as absent; in a map of values it is a mistake.

    It stays where it says what leaving the field out does not: a limit that is not to be judged.
    """
    if isinstance(content, list):
        return [_without_nulls(one, model) for one in content]
    if not isinstance(content, dict):
        return content
    out = {}
    for name, value in content.items():
        field = model.model_fields.get(name)
        if field is None or value is not None or _null_says_something(field):
            inner = field and model_in(field.annotation)
            out[name] = _without_nulls(value, inner) if inner else value
    return out


def _null_says_something(field: FieldInfo) -> bool:
    is_asked_for = field.is_required() or field.get_default() is None
    return not is_asked_for and type(None) in get_args(field.annotation)


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
    return or_null({name: _inlined(one, definitions) for name, one in part.items()})


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object in which null in a field that may be left out is as if it was."""
    members = schema.get("properties")
    if not isinstance(members, dict):
        return schema
    needed = schema.get("required", ())
    return schema | {
        "properties": {
            name: one if name in needed or NULL in one.get("anyOf", ()) else _or_null(one)
            for name, one in members.items()
        }
    }


def _or_null(one: dict[str, Any]) -> dict[str, Any]:
    told = {name: one[name] for name in ("title", "description", "default") if name in one}
    return {"anyOf": [one, NULL]} | told


async def json_body(request: Request, bring: Callable[[int], None]) -> bytes:
    """The body of a JSON request; 413 and 415 as soon as they are certain.

    `bring` is told of every piece's size, and may refuse it.
    """
    kind = media_type(request)
    if kind not in JSON_TYPES:
        raise Problem("unsupported-media-type", f"Send application/json, not {kind[:64]!r}.")
    if encoding_of(request) != "identity":
        raise Problem("unsupported-media-type", "Send the body without Content-Encoding here.")
    return await whole_body(request, bring)


def media_type(request: Request) -> str:
    """The body's kind, in small letters and without parameters; JSON where nothing is said."""
    said = request.headers.get("content-type", "application/json")
    return said.partition(";")[0].strip().lower()


def encoding_of(request: Request) -> str:
    """How the body is packed."""
    return request.headers.get("content-encoding", "identity").strip().lower()


async def whole_body(request: Request, bring: Callable[[int], None]) -> bytes:
    """The body as it came, if it comes in time and is not too large."""
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
