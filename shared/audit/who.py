"""Who acts right now: set at the door, read where the change is made.

A context variable, because every write of every store would else carry three more arguments, and
one that forgot them would look like one that has none.
"""

from contextvars import ContextVar
from typing import NamedTuple


class Who(NamedTuple):
    """Somebody, and the request by which they act."""

    actor: str
    """`key:<id>` or `cli:<user>@<host>`."""
    role: str | None = None
    request_id: str | None = None


_ACTING: ContextVar[Who] = ContextVar("assay.audit.who")


def act_as(who: Who) -> None:
    """From now on, in this task, somebody acts."""
    _ACTING.set(who)


def acting() -> Who:
    """Who acts; RuntimeError where nobody does, for a change by nobody must not happen."""
    try:
        return _ACTING.get()
    except LookupError as error:
        raise RuntimeError("something is changed, and nobody is known to change it") from error
