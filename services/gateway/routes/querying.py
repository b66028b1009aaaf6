"""Query parameters that a route would not read are refused, not ignored.

Else a mistyped filter answers for everything.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import AwareDatetime, BeforeValidator

from services.gateway.domain.names import not_known
from services.gateway.domain.problems import Problem

OURS = "/ai/"  # other protocols, as OTLP and OFREP, may bring parameters of their own
MOST_ERRORS = 10
MOST_OF_NAME = 64

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _no_number(given: Any) -> Any:
    """Numbers would be read as seconds since 1970, which no document of ours says."""
    if isinstance(given, str) and DATE.match(given) is None:
        raise ValueError("must be RFC 3339 with an offset, as 2026-01-01T12:00:00Z")
    return given


Instant = Annotated[AwareDatetime, BeforeValidator(_no_number)]


async def only_known_query(request: Request) -> None:
    """Refuse parameters that the route has not declared, and values of which it reads only one."""
    route = request.scope["route"]
    if not request.url.query or not route.path.startswith(OURS):
        return
    known = _declared(route.dependant)
    given = Counter(name for name, _ in request.query_params.multi_items())
    errors = []
    for name, times in given.items():
        if name not in known:
            errors.append(_error(name, "unknown_parameter", not_known(name, known)))
        elif times > 1 and not known[name]:
            errors.append(_error(name, "repeated_parameter", "is given more than once"))
    if errors:
        first = errors[0]
        detail = f"{first['pointer'][1:]}: {first['message']}."
        raise Problem("invalid", detail, errors=errors[:MOST_ERRORS])


def _error(name: str, code: str, message: str) -> dict[str, str]:
    return {"pointer": f"/{name[:MOST_OF_NAME]}", "code": code, "message": message}


def _declared(dependant: Dependant) -> Mapping[str, bool]:
    """Names of a route's query parameters, and whether all values of one are read."""
    found = {one.alias: _is_list(one.field_info.annotation) for one in dependant.query_params}
    for inner in dependant.dependencies:
        found |= _declared(inner)
    return found


def _is_list(annotation: Any) -> bool:
    return any(get_origin(one) in {list, set, tuple} for one in (annotation, *get_args(annotation)))
