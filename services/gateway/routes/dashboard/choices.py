"""What forms of pages ask for: a field that was left empty asks for nothing."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BeforeValidator, Field


def _nothing_if_empty(given: Any) -> Any:
    return None if given == "" else given


EMPTY = BeforeValidator(_nothing_if_empty)
# Bounds are those of the inner type: nothing has neither a length nor a size.
Words = Annotated[Annotated[str, Field(max_length=128)] | None, EMPTY, Query()]
Number = Annotated[Annotated[float, Field(allow_inf_nan=False)] | None, EMPTY, Query()]
Share = Annotated[Annotated[float, Field(ge=0, le=1)] | None, EMPTY, Query()]
PageLimit = Annotated[int, Query(ge=1, le=100)]
"""Pages are written where everything else is answered: a long one would hold all of it up."""
