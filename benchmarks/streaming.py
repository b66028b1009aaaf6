"""Peers that count as metrics does, from the same records on the same broker.

Each in an environment of its own, made here: Quix Streams at least and exactly once (its state on
disk), Bytewax and Pathway (engines in Rust, state in memory). None validates or deduplicates.
"""

import asyncio
import json
import subprocess
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from benchmarks.installing import installed
from benchmarks.servers import Servers, events, filled_topic

EVENTS, FEW, TIMES = 150_000, 5_000, 4
"""Engines read the same so many times over: half a second more or less must not count."""
ROUNDS = 3
PEERS = Path(__file__).with_name("peers")
PACKAGES = {
    "quix": ["quixstreams==3.28.0"],
    "bytewax": ["bytewax[kafka]==0.21.1", "orjson==3.13.0"],
    "pathway": ["pathway==0.33.0"],
}


async def streaming(target: Servers) -> dict[str, Any]:
    """Events per second of each peer, some times over."""
    pythons = {
        name: await installed(target.folder, name, packages) for name, packages in PACKAGES.items()
    }
    content = events(EVENTS)
    by_model = [(json.loads(value)["model_id"].encode(), value) for _, value in content]
    results: dict[str, Any] = {}
    for _ in range(ROUNDS):
        topic, few = await _filled(target, content * TIMES), await _filled(target, content[:FEW])
        keyed = await _filled(target, by_model)
        for guarantee in ("at-least-once", "exactly-once"):
            prefix = f"q{uuid4().hex[:6]}."
            state = target.folder / f"{prefix}state"
            said = await _run(
                pythons["quix"], "quix", target, keyed, guarantee, str(EVENTS), str(state)
            )
            _whole("Quix Streams", said["events"], EVENTS)
            results.setdefault(f"quix_{guarantee}", []).append(said["rate"])
        for name in ("bytewax", "pathway"):
            # The difference of two runs: what a start takes is no part of the rate.
            short = await _run(pythons[name], name, target, few)
            long = await _run(pythons[name], name, target, topic)
            _whole(name, short["events"], FEW)
            _whole(name, long["events"], EVENTS * TIMES)
            rate = (EVENTS * TIMES - FEW) / (long["seconds"] - short["seconds"])
            results.setdefault(name, []).append(rate)
    results["fastest_engine"] = max(results["bytewax"], results["pathway"], key=median)
    return results


def _whole(name: str, counted: int, sent: int) -> None:
    if counted != sent:
        raise RuntimeError(f"{name} counted {counted} of {sent}")


async def _filled(target: Servers, content: list[tuple[bytes, bytes]]) -> str:
    prefix = f"p{uuid4().hex[:6]}."
    await filled_topic(target, prefix, content)
    return f"{prefix}operations.v1"


async def _run(python: Path, name: str, target: Servers, topic: str, *more: str) -> dict[str, Any]:
    command: list[str | Path] = [python, PEERS / f"{name}_peer.py", target.bootstrap, topic, *more]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)

    done = await asyncio.to_thread(run)
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr[-2_000:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said
