"""Jobs that run for ever: nothing that goes wrong once may end them."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from services.gateway.domain.problems import AwayError

MOST_WHY = 300

T = TypeVar("T")

log = structlog.get_logger()


def why(error: BaseException) -> str:
    """An error as the log shows it."""
    return repr(error)[:MOST_WHY]


async def tried(
    work: Callable[[], Awaitable[T]], failed: str, shown: Callable[[BaseException], str] = why
) -> T | None:
    """One round of a job; `None` where it came to nothing. `failed` names that in the log."""
    try:
        return await work()
    except AwayError:
        return None  # told by the readiness checks
    except Exception as error:
        log.error(failed, why=shown(error))
        return None
