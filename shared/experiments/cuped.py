"""CUPED: what a unit did before its exposure explains part of what it does after.

Source: Deng, Xu, Kohavi, Walker 2013; for ratios their linearisation over units, Deng, Knoblich, Lu
2018. Units without a past hold x = 0 and h = 0. Where a good part of the units is like that, h is a
second covariate, so that being new is not mistaken for having done nothing.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.experiments.answers import NO_OPERATIONS, Undefined
from shared.experiments.estimators import NOISE, Arm, difference
from shared.experiments.fixed import compare
from shared.experiments.moments import Moments, merged

BEFORE = timedelta(days=14)
FEWEST_UNITS = 100
LEAST_COVERAGE = 0.05
MOST_MISSING = 0.95  # the coverage above which no indicator is needed
IMBALANCE = 0.001

TOO_FEW = f"fewer than {FEWEST_UNITS} units in an arm"
TOO_LITTLE_PAST = f"fewer than {LEAST_COVERAGE:.0%} of the units have a past"
NO_SPREAD = "the covariate does not vary"
AT_AN_END = "an arm is at 0 or 100 %"
UNEQUAL = "the covariate differs between the arms: was it measured after exposure?"

Matrix = NDArray[np.float64]


class Adjusted(NamedTuple):
    """Both arms after adjustment, on the scale of the unadjusted control.

    a keeps its unadjusted value and b differs from it by the adjusted D, so that a relative lift
    divides by the unadjusted control. `theta` has one entry a covariate. `shared` is the covariance
    of the control's measured value with its adjusted one: what the two have in common.
    """

    a: Arm
    b: Arm
    theta: tuple[float, ...]
    warning: str | None
    shared: float


def window(first_exposure: datetime) -> tuple[datetime, datetime]:
    """From when until when (exclusive) a covariate is measured: 14 days before first exposure."""
    return first_exposure - BEFORE, first_exposure


def is_before(measured_at: datetime, first_exposure: datetime) -> bool:
    """May this be part of a covariate? What came later may be the treatment's own effect."""
    start, end = window(first_exposure)
    return start <= measured_at < end


def mean(a: Moments, b: Moments, scale: float = 1.0) -> Adjusted | Undefined:
    """M' = M - theta X, theta = cov(m, x) / var(x) of the two arms' sums added together.

    s^2 = v_m + theta^2 v_x - 2 theta c_mx. `scale` is what one of m is worth; x is in any unit.
    """
    refused = _refused(a, b)
    if refused:
        return refused
    forms = np.array([[scale, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1]])
    arms = [_Terms.of(sums, forms, forms @ _means(sums)) for sums in (a, b)]
    both = merged(a, b)
    pooled = _Terms.of(both, forms, forms @ _means(both)).covariances
    return _adjusted(a, b, arms, pooled)


def ratio(a: Moments, b: Moments) -> Adjusted | Undefined:
    """The same on z = (m - R d) / mean(d), with w = (x - R_pre y) / mean(y) from before.

    theta = (cov_a + cov_b) / (var_a + var_b) of (z, w), each around its own arm's ratios.
    """
    refused = _refused(a, b)
    if refused:
        return refused
    if a.d == 0 or b.d == 0:
        return Undefined(NO_OPERATIONS)
    if any(sums.m in (0, sums.d) for sums in (a, b)):
        return Undefined(AT_AN_END)
    if a.y == 0 or b.y == 0:
        return Undefined(TOO_LITTLE_PAST)
    arms = [_linearised(sums) for sums in (a, b)]
    return _adjusted(a, b, arms, arms[0].covariances + arms[1].covariances)


class _Terms(NamedTuple):
    """Of one arm: values and covariances of (target, covariate, indicator)."""

    values: Matrix
    covariances: Matrix

    @classmethod
    def of(cls, sums: Moments, forms: Matrix, values: Matrix) -> "_Terms":
        """`forms` are the rows that make the three out of (m, d, x, y, h)."""
        return cls(values, forms @ _covariances(sums) @ forms.T)


def _linearised(sums: Moments) -> _Terms:
    now, past = float(sums.m / sums.d), float(sums.x / sums.y)
    each, each_past = float(sums.d / sums.n), float(sums.y / sums.n)
    forms = np.array(
        [
            [1 / each, -now / each, 0, 0, 0],
            [0, 0, 1 / each_past, -past / each_past, 0],
            [0, 0, 0, 0, 1],
        ]
    )
    return _Terms.of(sums, forms, np.array([now, past, sums.h / sums.n]))


def _refused(a: Moments, b: Moments) -> Undefined | None:
    if min(a.n, b.n) < FEWEST_UNITS:
        return Undefined(TOO_FEW)
    if a.h + b.h < LEAST_COVERAGE * (a.n + b.n):
        return Undefined(TOO_LITTLE_PAST)
    return None


def _adjusted(a: Moments, b: Moments, arms: list[_Terms], pooled: Matrix) -> Adjusted | Undefined:
    theta = _theta(pooled, (a.h + b.h) / (a.n + b.n))
    if isinstance(theta, Undefined):
        return theta
    used = len(theta) + 1
    weights = np.concatenate(([1.0], -theta))
    control = arms[0].values[:used]
    adjusted = []
    for sums, (values, covariances) in zip((a, b), arms, strict=True):
        # From the control's covariates: a shift of both arms, which leaves D as it is.
        value = values[0] - float(theta @ (values[1:used] - control[1:]))
        variance = float(weights @ covariances[:used, :used] @ weights)
        if variance <= NOISE * covariances[0, 0]:
            variance = 0.0  # the past explains all: what is left is what floats round
        adjusted.append(Arm(sums.n, float(value), variance, sums.n, float(sums.d)))
    warning = UNEQUAL if _unequal(a, b, arms, used) else None
    shared = float(arms[0].covariances[0, :used] @ weights) / a.n
    return Adjusted(adjusted[0], adjusted[1], tuple(theta.tolist()), warning, shared)


def _theta(pooled: Matrix, coverage: float) -> Matrix | Undefined:
    by, with_target = pooled[1:, 1:], pooled[1:, 0]
    if by[0, 0] <= 0:
        return Undefined(NO_SPREAD)
    with_indicator = coverage <= MOST_MISSING
    # Where all who have a past have the same one, x and h are one covariate.
    if with_indicator and np.linalg.det(by) > 1e-9 * by[0, 0] * by[1, 1]:
        return np.asarray(np.linalg.solve(by, with_target), dtype=np.float64)
    return np.asarray(with_target[:1] / by[0, 0], dtype=np.float64)


def _unequal(a: Moments, b: Moments, arms: list[_Terms], used: int) -> bool:
    for i in range(1, used):
        both = [
            Arm(sums.n, float(terms.values[i]), float(terms.covariances[i, i]), sums.n, sums.n)
            for sums, terms in zip((a, b), arms, strict=True)
        ]
        diff = difference(*both)
        if not isinstance(diff, Undefined) and compare(diff).p < IMBALANCE:
            return True
    return False


def _means(sums: Moments) -> Matrix:
    return np.array([float(s / sums.n) for s in (sums.m, sums.d, sums.x, sums.y, sums.h)])


def _covariances(sums: Moments) -> Matrix:
    """Sample covariances of (m, d, x, y, h) over units; h is 0 or 1, and x = y = 0 where h = 0."""
    singles = (sums.m, sums.d, sums.x, sums.y, sums.h)
    products: tuple[tuple[Any, ...], ...] = (
        (sums.mm, sums.md, sums.mx, sums.my, sums.mh),
        (sums.md, sums.dd, sums.dx, sums.dy, sums.dh),
        (sums.mx, sums.dx, sums.xx, sums.xy, sums.x),
        (sums.my, sums.dy, sums.xy, sums.yy, sums.y),
        (sums.mh, sums.dh, sums.x, sums.y, sums.h),
    )
    by = sums.n * (sums.n - 1)
    return np.array(
        [
            [float((sums.n * uv - u * v) / by) for v, uv in zip(singles, row, strict=True)]
            for u, row in zip(singles, products, strict=True)
        ]
    )
