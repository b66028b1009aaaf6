"""Pages of lists: where one begins, and where the next one will."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query, Request

from services.gateway.domain.cursor import MOST_CURSOR, Cursor, Place, Seal
from services.gateway.routes.access import principal

OF_PAGE = ("cursor", "limit")
CURSOR = "`next_cursor` of the page before, with the same filters; it serves for nothing else."
At = Annotated[str | None, Query(max_length=MOST_CURSOR, description=CURSOR)]
Limit = Annotated[int, Query(ge=1, le=1000)]


def page_after(request: Request, cursor: str | None) -> Cursor | None:
    """The row that a page begins behind; 422 for a cursor that this list has not answered.

    An empty one is none: clients send it for the first page.
    """
    return None if not cursor else _seal(request).opened_row(cursor, _place(request))


def next_cursor(
    request: Request, rows: Sequence[Mapping[str, Any]], limit: int, at: str, identity: str
) -> str | None:
    """Where a page of `limit` ends, when more rows than that were found; columns name its order."""
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    return _seal(request).of_row(Cursor(last[at], last[identity]), _place(request))


def page_after_name(request: Request, cursor: str | None) -> str | None:
    """The same of a list that is ordered by a name."""
    return None if not cursor else _seal(request).opened(cursor, _place(request))


def next_after_name(request: Request, last: str) -> str:
    """The cursor behind a name."""
    return _seal(request).of(last, _place(request))


def _seal(request: Request) -> Seal:
    found: Seal = request.app.state.seal
    return found


def _place(request: Request) -> Place:
    asked = request.query_params.multi_items()
    return Place(
        principal(request).tenant_id,
        request.scope["route"].path,
        tuple(sorted((name, str(value)) for name, value in request.path_params.items())),
        tuple(sorted(one for one in asked if one[0] not in OF_PAGE)),
    )
