"""Several comparisons at once: p-values that keep the level of the whole family.

By hand: scipy.stats and statsmodels would do it, for 50 and 80 MB of each process.
"""

from collections.abc import Sequence
from itertools import accumulate


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given: the chance of even one false rejection stays below.

    For the primary metric over arms. Source: Holm 1979.
    """
    count = len(p_values)
    order = sorted(range(count), key=p_values.__getitem__)
    stepped = accumulate((p_values[i] * (count - rank) for rank, i in enumerate(order)), max)
    adjusted = dict(zip(order, stepped, strict=True))
    return [min(1.0, adjusted[i]) for i in range(count)]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given: the expected share of false ones among the rejected.

    For secondary metrics and segments, which are exploratory. Source: Benjamini, Hochberg 1995.
    """
    count = len(p_values)
    order = sorted(range(count), key=p_values.__getitem__, reverse=True)
    stepped = accumulate(
        (p_values[i] * count / (count - rank) for rank, i in enumerate(order)), min
    )
    adjusted = dict(zip(order, stepped, strict=True))
    return [min(1.0, adjusted[i]) for i in range(count)]
