"""Why a body is refused: all that is wrong with it, and what was probably meant."""

from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from services.gateway.domain.names import not_known
from services.gateway.domain.problems import Problem

MOST_ERRORS = 20


def refused(error: ValidationError, model: type[BaseModel]) -> Problem:
    """A 422 that names each wrong field of what should have been a `model`."""
    found = _itself(error.errors(include_url=False, include_context=False, include_input=False))
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


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, if it holds one."""
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def _model_at(model: type[BaseModel], place: Iterable[str | int]) -> type[BaseModel] | None:
    """The model that a place in a body of `model` holds, if it holds one."""
    found: type[BaseModel] | None = model
    for part in place:
        if isinstance(part, int):
            continue  # an item of a list is what the list holds
        field = found.model_fields.get(str(part)) if found else None
        found = model_in(field.annotation) if field else None
    return found


def _itself(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without lists that are too short only because their items are wrong."""
    return [
        one
        for one in errors
        if one["type"] != "too_short"
        or not any(
            len(other["loc"]) > len(one["loc"]) and other["loc"][: len(one["loc"])] == one["loc"]
            for other in errors
        )
    ]


def _message(error: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong; where a name is not known, also which are."""
    *place, name = error["loc"] or ("",)
    there = _model_at(model, place) if error["type"] == "extra_forbidden" else None
    if there:
        known = (field.alias or name for name, field in there.model_fields.items())
        return not_known(str(name), known)
    return error["msg"].replace("Tuple should", "List should")
