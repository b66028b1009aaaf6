"""What an operation costs: the event's own figure, else a dated price table, else unknown.

Prices come from `genai-prices` (MIT), behind this one function, and may be overridden by a file of
our own format. Rates are looked up once per model and day; tokens are multiplied here.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from genai_prices import Usage, calc_price
from pydantic import BaseModel, Field, TypeAdapter

from shared.events.operation import OperationEvent

NANO_PER_USD = 1_000_000_000
PER_MILLION = 1_000_000


class Rates(NamedTuple):
    """US dollars per million tokens."""

    input: float
    output: float
    cached: float


class PriceLine(BaseModel):
    """One line of an override file: the price of a model from a day on."""

    model_id: str
    valid_from: date
    input_per_million: float = Field(ge=0)
    output_per_million: float = Field(ge=0)
    cached_per_million: float | None = Field(None, ge=0, description="Absent: as other input.")


Overrides = Mapping[str, list[PriceLine]]
Price = Callable[[OperationEvent], int | None]


def read_overrides(path: Path) -> Overrides:
    """Read a JSON list of price lines, newest first per model."""
    lines = TypeAdapter(list[PriceLine]).validate_python(json.loads(path.read_text()))
    found: dict[str, list[PriceLine]] = {}
    for line in sorted(lines, key=lambda one: one.valid_from, reverse=True):
        found.setdefault(line.model_id, []).append(line)
    return found


def price_table(overrides: Overrides | None = None) -> Price:
    """A function from an operation to its cost in 1e-9 US dollars; unknown is `None`, never 0."""
    own = overrides or {}

    @lru_cache(maxsize=65_536)
    def rates(model_id: str, provider: str | None, day: date) -> Rates | None:
        return _overridden(own, model_id, day) or _listed(model_id, provider, day)

    def price(event: OperationEvent) -> int | None:
        if event.cost_usd is not None:
            return round(event.cost_usd * NANO_PER_USD)
        if event.input_tokens is None and event.output_tokens is None:
            return None
        found = rates(event.model_id, event.provider, event.occurred_at.astimezone(UTC).date())
        return None if found is None else _cost_nano(event, found)

    return price


def _cost_nano(event: OperationEvent, rates: Rates) -> int:
    inputs = event.input_tokens or 0
    cached = min(event.cached_input_tokens or 0, inputs)
    dollars_per_million = (
        (inputs - cached) * rates.input
        + cached * rates.cached
        + (event.output_tokens or 0) * rates.output
    )
    return round(dollars_per_million * (NANO_PER_USD // PER_MILLION))


def _overridden(own: Overrides, model_id: str, day: date) -> Rates | None:
    for line in own.get(model_id, ()):
        if line.valid_from <= day:
            cached = line.cached_per_million
            return Rates(
                line.input_per_million,
                line.output_per_million,
                line.input_per_million if cached is None else cached,
            )
    return None


def _listed(model_id: str, provider: str | None, day: date) -> Rates | None:
    """Rates from the library; prices in tiers count at their base tier."""
    try:
        found = calc_price(
            Usage(input_tokens=1, output_tokens=1),
            model_ref=model_id,
            provider_id=provider,
            genai_request_timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
        ).model_price
    except LookupError:
        return None
    prices = [_base(getattr(found, name)) for name in ("input_mtok", "output_mtok")]
    if prices[0] is None or prices[1] is None:
        return None
    cached = _base(found.cache_read_mtok)
    return Rates(prices[0], prices[1], prices[0] if cached is None else cached)


def _base(value: object) -> float | None:
    if value is None:
        return None
    return float(value if isinstance(value, Decimal) else value.base)  # type: ignore[attr-defined]
