"""Logs of every process: JSON lines on standard error, those of libraries too."""

import logging
import sys

import structlog

from shared import clock
from shared.secrecy import hidden_field

MAX_FIELD = 1024
REPEATED_AFTER_S = 10.0

_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def configure_logging(service: str, level: str) -> None:
    """JSON lines on stderr; no field longer than 1 KiB, no payloads, no credentials.

    Libraries are heard from WARNING on, each of their messages at most every 10 s: a client that
    cannot reach its server says so many times a second.
    """
    rendered: list[structlog.typing.Processor] = [
        _safe,
        structlog.processors.JSONRenderer(default=str),
    ]
    structlog.configure(
        processors=[*_SHARED, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Seldom())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    structlog.contextvars.bind_contextvars(service=service)


class Seldom(logging.Filter):
    """Lets a message pass once in 10 s, whatever is filled in, and says how many it held back."""

    def __init__(self) -> None:
        super().__init__()
        self._passed_at: dict[tuple[str, int], float] = {}
        self._held_back: dict[tuple[str, int], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is time to say this again."""
        place = record.pathname, record.lineno
        now = clock.monotonic()
        if now - self._passed_at.get(place, -REPEATED_AFTER_S) < REPEATED_AFTER_S:
            self._held_back[place] = self._held_back.get(place, 0) + 1
            return False
        self._passed_at[place] = now
        repeats = self._held_back.pop(place, 0)
        if repeats:
            record.msg = f"{record.msg} (and {repeats} times more since the last time)"
        return True


def _safe(_: object, __: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for name, value in fields.items():
        # What is cut off anyway need not be looked through, but a credential may be cut in two.
        looked_at = value[: 4 * MAX_FIELD] if isinstance(value, str) else value
        shown = hidden_field(name, looked_at)
        is_long = isinstance(shown, str) and len(shown) > MAX_FIELD
        fields[name] = shown[:MAX_FIELD] + "…" if is_long else shown
    return fields
