"""How a service's process begins: settings, logs, event loop."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog
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
    say_trust(found)
    uvloop.run(run(found))


def say_trust(settings: SharedSettings) -> None:
    """Whose word is taken, and by which keys: two services whose fingerprints differ part ways."""
    log, known = structlog.get_logger(), settings.fingerprints
    if settings.event_trust == "open":
        meaning = "whoever may write to the topics may name any tenant"
        log.warning("event_trust_open", meaning=meaning, fingerprints=known)
    else:
        log.info("event_trust_signed", fingerprints=known)
