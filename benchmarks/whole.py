"""The whole system: at its rate for minutes, and for an hour at half of it (`ONLY=soak`),
and at rest."""

import os
from typing import Any

from benchmarks.servers import Servers
from benchmarks.steady import Found, Steady, quantile
from deploy.names import SERVICES

RATE = 10_000
SECONDS = float(os.environ.get("ASSAY_BENCH_WHOLE_S", "300"))
IDLE_S = 60.0
SOAK_S = float(os.environ.get("ASSAY_BENCH_SOAK_S", "3600"))


async def whole(target: Servers) -> dict[str, Any]:
    """Operations at RATE, feedback on one in fifty, all services on one machine."""
    found = await Steady(target, RATE).run(SECONDS)
    return {
        "whole_rate": found.rate,
        "whole_drained_after_s": round(found.drained_s, 2),
        "freshness_redis_p50_s": quantile(found.fresh, 0.5),
        "freshness_redis_p99_s": quantile(found.fresh, 0.99),
        "freshness_postgres_p50_s": quantile(found.lags["ingest"], 0.5),
        "freshness_postgres_p99_s": quantile(found.lags["ingest"], 0.99),
        **_sizes("whole", found),
    }


async def idle(target: Servers) -> dict[str, float]:
    """What the services take while nothing comes."""
    found = await Steady(target, RATE // 10).rest(IDLE_S)
    each = {f"idle_{name}_percent": round(share, 2) for name, share in found.items()}
    return {"idle_percent": round(sum(found.values()), 2), **each}


async def soak(target: Servers) -> dict[str, Any]:
    """Half of that for an hour: nobody falls behind, nobody grows, and all numbers agree."""
    steady = Steady(target, RATE // 2)
    found = await steady.run(SOAK_S)
    differ, missing = await steady.differences()
    return {
        "soak_rate": found.rate,
        **{f"soak_{name}_lag_max_s": round(max(lags), 2) for name, lags in found.lags.items()},
        **_sizes("soak", found),
        **{f"soak_{name}_growth": round(found.grown(name), 3) for name in SERVICES},
        "soak_mismatches": differ,
        "soak_missing": missing,
    }


def _sizes(part: str, found: Found) -> dict[str, float]:
    return {f"{part}_{name}_rss_mb": max(found.rss[name]) for name in SERVICES}
