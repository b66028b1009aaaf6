"""What the validity proofs must show, and a table of what they did."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from rich.table import Table


class Promise(NamedTuple):
    """Between what all figures lie whose names match."""

    names: str
    least: float = 0.0
    most: float = 1.0

    def holds(self, value: float) -> bool:
        """Whether a figure is as promised."""
        return self.least <= value <= self.most


ONE_LOOK = (0.035, 0.065)
EQUAL = ("planned", "always valid", "by ratings")
PROMISES = (
    *(Promise(f"V1 {of}", most=0.05) for of in ("*: always valid", "*: hybrid", "*: harm")),
    Promise("V1 *: fixed, once", *ONE_LOOK),
    Promise("V2 *: always valid", most=0.05),
    Promise("V2 *: contradiction", most=0.0),
    Promise("V3 *users: fixed, once", *ONE_LOOK),
    Promise("V3 *users: always valid, daily", most=0.05),
    Promise("V4 coverage: rate *", least=0.925),
    Promise("V4 coverage: ratio of 20 *", least=0.92),
    Promise("V4 coverage: ratio of 50 *", least=0.93),
    Promise("V4 coverage: mean *", least=0.93),
    Promise("V4 20 users: fixed, once", most=0.08),
    Promise("V4 50 users: fixed, once", most=0.07),
    Promise("V4 p95: p95", 0.04, 0.075),
    Promise("V5 1.0 x: hybrid", least=0.69),
    Promise("V5 1.0 x: always valid", least=0.47),
    Promise("V5 1.5 x: hybrid", least=0.96),
    Promise("V5 1.5 x: always valid", least=0.88),
    Promise("V5 verdicts 1.0 x: SHIP", least=0.69),
    Promise("V5 verdicts 1.5 x: SHIP", least=0.96),
    Promise("V6 as promised: verdict", most=0.01),
    Promise("V6 as promised: sequential", most=0.01),
    Promise("V6 5 % lost: verdict", least=0.98),
    Promise("V7 *: unfair", most=0.01),
    Promise("V7 *: p of *", least=0.001),
    Promise("V7 *: moved", most=0.0),
    Promise("V8 *: sums that differ", most=0.0),
    Promise("V8 *: difference over SE", most=1e-9),
    Promise("V9 5 % lost: BROKEN", least=0.98),
    *(Promise(f"V9 {of}: SHIP", most=0.025) for of in ("planned", "always valid", "by ratings")),
    *(
        Promise(f"V9 {of}: STOP_HARM", most=0.08)
        for of in ("planned", "always valid", "by ratings")
    ),
    Promise("V10 *: always valid", most=0.05),
    Promise("V10 *: error left", (1 - 0.7**2) ** 0.5 * 0.97, (1 - 0.7**2) ** 0.5 * 1.03),
    Promise("margin: not inferior", most=0.05),
)


def broken(found: dict[str, float], promises: Iterable[Promise] = PROMISES) -> Iterator[str]:
    """What is not as promised; a promise that nothing answers to is broken too."""
    for promise in promises:
        values = {name: value for name, value in found.items() if fnmatchcase(name, promise.names)}
        if not values:
            yield f"{promise.names}: not measured"
        for name, value in values.items():
            if not promise.holds(value):
                yield f"{name}: {value:.4g}, not from {promise.least:.4g} to {promise.most:.4g}"


def table(found: dict[str, float]) -> Table:
    """Every figure, beside what it had to be."""
    out = Table("simulated", "measured", "promised")
    for name, value in sorted(found.items()):
        own = [one for one in PROMISES if fnmatchcase(name, one.names)]
        said = ", ".join(
            f"{'reached' if one.holds(value) else 'MISSED'} {one.least:.4g} to {one.most:.4g}"
            for one in own
        )
        out.add_row(name, f"{value:.4g}", said)
    return out
