"""Runs each service as a process of its own, and starts a dead one again."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2

from deploy.local.process import Child, StartError, spawn
from deploy.local.state import DataDir

FIRST_WAIT_S, MOST_WAIT_S = 0.5, 10.0
READY_DEADLINE_S = 60
STEADY_S = 30
CHECK_EVERY_S = 0.25

OnRestart = Callable[[str, int | None], None]


@dataclass(slots=True)
class Managed:
    """One service: how to start it, and where it says how it is."""

    name: str
    env: Mapping[str, str]
    ready_url: str
    child: Child | None = None
    started_at: float = 0.0
    wait_s: float = FIRST_WAIT_S
    start_again_at: float = 0.0


class Supervisor:
    """The services of one system."""

    def __init__(self, data_dir: DataDir, on_restart: OnRestart) -> None:
        self._data_dir = data_dir
        self._on_restart = on_restart
        self._services: list[Managed] = []

    def add(self, name: str, env: Mapping[str, str], port: int, port_name: str) -> None:
        """Start a service; `port_name` is the variable that tells it its port."""
        address = f"http://127.0.0.1:{port}"
        # What we say ourselves is not to be looked for in a file.
        files = {f"{name}_FILE" for name in env}
        around = {name: value for name, value in os.environ.items() if name not in files}
        variables = {**around, **env, port_name: str(port)}
        service = Managed(name, variables, f"{address}/readyz")
        self._services.append(service)
        self._start(service)

    async def ready(self, on_ready: Callable[[str, str], None]) -> None:
        """Wait until every service is; tells each as it is."""
        give_up_at = time.monotonic() + READY_DEADLINE_S
        async with httpx2.AsyncClient(timeout=3) as client:
            for service in self._services:
                while (state := await _state(client, service.ready_url)) != "ready":
                    self.tend()
                    if time.monotonic() > give_up_at:
                        tail = service.child.tail() if service.child else ""
                        raise StartError(f"{service.name} is not ready ({state}):\n{tail}")
                    await asyncio.sleep(CHECK_EVERY_S)
                on_ready(service.name, service.ready_url.removesuffix("/readyz"))

    async def watch(self) -> None:
        """Start dead services again, with a growing wait, for ever."""
        while True:
            self.tend()
            await asyncio.sleep(CHECK_EVERY_S)

    def tend(self) -> None:
        """One look at every service."""
        now = time.monotonic()
        for service in self._services:
            if service.child is None:
                if now >= service.start_again_at:
                    self._start(service)
            elif not service.child.alive:
                if now - service.started_at > STEADY_S:
                    service.wait_s = FIRST_WAIT_S
                self._on_restart(service.name, service.child.process.returncode)
                service.child, service.start_again_at = None, now + service.wait_s
                service.wait_s = min(service.wait_s * 2, MOST_WAIT_S)

    def stop(self) -> None:
        """SIGTERM to all at once, then wait for each."""
        children = [service.child for service in self._services if service.child]
        for child in children:
            if child.alive:
                child.process.terminate()
        for child in children:
            child.stop(timeout_s=25)
        self._services.clear()

    def pids(self) -> dict[str, int]:
        """Process ids of the living."""
        return {s.name: s.child.pid for s in self._services if s.child and s.child.alive}

    def _start(self, service: Managed) -> None:
        log_file = self._data_dir.path / "logs" / f"{service.name}.log"
        argv: list[str | Path] = [sys.executable, "-m", f"services.{service.name}"]
        service.child = spawn(service.name, argv, log_file, env=service.env)
        service.started_at = time.monotonic()
        self._data_dir.remember_child(service.child)


async def _state(client: httpx2.AsyncClient, url: str) -> str:
    try:
        answer = await client.get(url)
    except httpx2.TransportError as error:
        return type(error).__name__
    return "ready" if answer.is_success else answer.text[:300]
