"""How a service's process begins: settings, logs, event loop."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from shared.logs import configure_logging
from shared.settings import SharedSettings, load

S = TypeVar("S", bound=SharedSettings)


def run_service(
    name: str, settings: type[S], run: Callable[[S], Coroutine[Any, Any, None]]
) -> None:
    """Read the settings and run a service in the foreground until it is told to stop."""
    found = load(settings)
    configure_logging(name, found.log_level)
    uvloop.run(run(found))
