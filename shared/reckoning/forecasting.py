"""Forecasts with honest intervals: two simple methods, the better of them at past origins.

Seasonal naive, or damped Holt [Gardner and McKenzie 1985] on deseasonalised data (STL) where that
has the lower error over rolling origins, scaled as MASE [Hyndman 2006]. Intervals are split
conformal: at each step ahead the ceil((r + 1) level)-th smallest of r absolute errors that the same
method made at past origins, made non-decreasing over the horizon.
"""

import warnings
from collections.abc import Callable, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy.optimize import isotonic_regression
from statsmodels.tsa.holtwinters import Holt
from statsmodels.tsa.seasonal import STL

LEAST_POINTS = 10
LEAST_SEASONS = 2
MOST_GAPS = 0.2
MOST_ORIGINS = 40
# Holt looks at no more than this many of the last seasons: what is older says little.
REMEMBERED_SEASONS = 7
LEVELS = (0.80, 0.95)

Values = NDArray[np.float64]
Method = Callable[[Values, int, int], Values]
"""History without gaps, season, horizon -> forecasts."""


class Asked(BaseModel):
    """A series by equal steps, oldest first; null where nothing was observed."""

    values: list[float | None]
    season: int
    horizon: int
    least: float | None = None
    most: float | None = None
    """Bounds that no value passes."""
    limit: float | None = None
    is_upper: bool = True
    """Whether above the limit is the bad side."""


class Point(BaseModel):
    """One step ahead; an interval is null where too few past origins tell of it."""

    value: float
    low_80: float | None
    high_80: float | None
    low_95: float | None
    high_95: float | None


class Breach(BaseModel):
    """The first steps at which the interval touches the bad side, and lies on it; null is never."""

    earliest: int | None
    latest: int | None


class Forecast(BaseModel):
    """What is expected, or why nothing is."""

    refusal: str | None = None
    method: str | None = None
    mase: float | None = None
    """Mean absolute error over past origins, relative to the seasonal naive one within them."""
    points: list[Point] = []
    breach: Breach | None = None


def forecast(asked: Asked) -> Forecast:
    """Forecast a series, or say why not."""
    first = next((at for at, one in enumerate(asked.values) if one is not None), 0)
    observed = np.array(
        [np.nan if one is None else one for one in asked.values[first:]], dtype=np.float64
    )
    refusal = _refusal(observed, asked)
    if refusal:
        return Forecast(refusal=refusal)
    found = {name: _errors(method, observed, asked) for name, method in METHODS.items()}
    averages = {name: float(np.nanmean(errors)) for name, errors in found.items()}
    name = (
        "damped_holt" if averages["damped_holt"] < averages["seasonal_naive"] else "seasonal_naive"
    )
    scale = float(np.nanmean(np.abs(observed[asked.season :] - observed[: -asked.season])))
    middle = METHODS[name](_filled(observed), asked.season, asked.horizon)
    points = _points(middle, found[name], asked)
    mase = averages[name] / scale if scale > 0 else None
    breach = None if asked.limit is None else _breach(points, asked)
    return Forecast(method=name, mase=mase, points=points, breach=breach)


def seasonal_naive(history: Values, season: int, horizon: int) -> Values:
    """The last season again and again."""
    return np.resize(history[-season:], horizon)


def damped_holt(history: Values, season: int, horizon: int) -> Values:
    """Level and a trend that tires, of what is left without the season; then the season again."""
    recent = history[-REMEMBERED_SEASONS * season :]
    if np.ptp(recent) == 0:
        return np.full(horizon, recent[-1])
    scale = float(np.std(recent))  # the fit stops by absolute tolerances: cents and dollars alike
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that did not converge is judged by its errors
        seasonal = STL(recent / scale, period=season).fit().seasonal
        fitted = Holt(
            recent / scale - seasonal, damped_trend=True, initialization_method="estimated"
        ).fit(optimized=True)
    ahead = np.asarray(fitted.forecast(horizon), dtype=np.float64)
    return (ahead + np.resize(seasonal[-season:], horizon)) * scale


METHODS: dict[str, Method] = {"seasonal_naive": seasonal_naive, "damped_holt": damped_holt}


def _refusal(observed: Values, asked: Asked) -> str:
    need = max(LEAST_POINTS, LEAST_SEASONS * asked.season) + asked.horizon + _least(LEVELS[0])
    if len(observed) < need:
        return (
            f"too little history: {len(observed)} steps, and a horizon of {asked.horizon} with a "
            f"season of {asked.season} needs {need}; ask for less ahead, or wait"
        )
    gaps = float(np.isnan(observed).mean())
    if gaps > MOST_GAPS:
        return (
            f"too many gaps: nothing was observed in {gaps:.0%} of the steps; "
            f"a forecast takes at most {MOST_GAPS:.0%}"
        )
    return ""


def _least(level: float) -> int:
    """How many errors an interval of this level needs."""
    return ceil(round(level / (1 - level), 9))


def _filled(observed: Values) -> Values:
    places = np.arange(len(observed))
    known = ~np.isnan(observed)
    return np.interp(places, places[known], observed[known])


def _errors(method: Method, observed: Values, asked: Asked) -> Values:
    """Absolute errors at past origins: one row per origin, one column per step ahead."""
    least = max(LEAST_POINTS, LEAST_SEASONS * asked.season)
    last = len(observed) - asked.horizon
    count = min(MOST_ORIGINS, last - least + 1)
    origins = np.unique(np.linspace(least, last, count).round().astype(int))
    rows = [
        np.abs(
            _bounded(method(_filled(observed[:at]), asked.season, asked.horizon), asked)
            - observed[at : at + asked.horizon]
        )
        for at in origins
    ]
    return np.array(rows)


def _points(middle: Values, errors: Values, asked: Asked) -> list[Point]:
    middle = _bounded(middle, asked)
    widths = [_widths(errors, level) for level in LEVELS]
    points = []
    for at, value in enumerate(middle):
        ends: list[float | None] = []
        for width in widths:
            if np.isnan(width[at]):
                ends += [None, None]
            else:
                pair = np.array([value - width[at], value + width[at]])
                ends += [float(one) for one in _bounded(pair, asked)]
        points.append(
            Point(value=value, low_80=ends[0], high_80=ends[1], low_95=ends[2], high_95=ends[3])
        )
    return points


def _widths(errors: Values, level: float) -> Values:
    """Half the width of the interval at each step ahead; NaN where too few errors are known."""
    out = np.full(errors.shape[1], np.nan)
    for at in range(errors.shape[1]):
        known = np.sort(errors[:, at][~np.isnan(errors[:, at])])
        rank = ceil(round((len(known) + 1) * level, 9))
        if rank <= len(known):
            out[at] = known[rank - 1]
    told = ~np.isnan(out)
    if told.any():
        # The nearest non-decreasing widths: a running maximum would keep every chance excess.
        out[told] = isotonic_regression(out[told]).x
    return out


def _bounded(values: Values, asked: Asked) -> Values:
    return np.clip(values, asked.least, asked.most)


def _breach(points: Sequence[Point], asked: Asked) -> Breach | None:
    """By the 95 % interval, or the 80 % one where there is no other; nothing without any."""
    worst, best = [], []
    for at, one in enumerate(points, 1):
        low = one.low_95 if one.low_95 is not None else one.low_80
        high = one.high_95 if one.high_95 is not None else one.high_80
        if low is not None and high is not None:
            worst.append((at, high if asked.is_upper else low))
            best.append((at, low if asked.is_upper else high))
    if not worst:
        return None
    return Breach(earliest=_first(worst, asked), latest=_first(best, asked))


def _first(ends: Sequence[tuple[int, float]], asked: Asked) -> int | None:
    assert asked.limit is not None  # noqa: S101 - asked only with one
    sign = 1 if asked.is_upper else -1
    return next((at for at, one in ends if sign * (one - asked.limit) > 0), None)
