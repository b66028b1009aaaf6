"""Services as real processes that can be killed and started again."""

import os
import signal
import sys
from pathlib import Path

import httpx2

from deploy.local.process import Child, free_port, spawn

ROOT = Path(__file__).parents[2]


class Victim:
    """One service process, and how often it was killed."""

    def __init__(self, name: str, env: dict[str, str], logs: Path) -> None:
        self.name = name
        self.deaths = 0
        self._env = {**os.environ, "PYTHONPATH": str(ROOT), **env}
        self._log = logs / f"{name}.log"
        self._child: Child | None = None
        self._port = 0

    def start(self, fault_point: str | None = None) -> None:
        """Start it; with a fault point it will kill itself there."""
        self._port = free_port()
        env = self._env | {"ASSAY_TELEMETRY_PORT": str(self._port)}
        if fault_point:
            env["ASSAY_FAULT_POINT"] = fault_point
        argv: list[str | Path] = [sys.executable, "-m", f"services.{self.name}"]
        self._child = spawn(self.name, argv, self._log, env=env)

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    @property
    def killed_itself(self) -> bool:
        """Whether it ended by SIGKILL."""
        return self._child is not None and self._child.process.returncode == -signal.SIGKILL

    async def waits_for(self) -> dict[str, str] | None:
        """What its /readyz says is missing, nothing when it is ready; `None` without an answer."""
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self._port}") as client:
                (await client.get("/healthz")).raise_for_status()
                answer = (await client.get("/readyz")).json()
        except httpx2.TransportError:
            return None
        return dict(answer["waits_for"])

    def kill(self) -> None:
        """kill -9."""
        if self._child is not None:
            self._child.kill()
            self.deaths += 1

    def stop(self) -> int | None:
        """Ask it to end; answers its exit code."""
        return self._child.stop(timeout_s=25) if self._child else None

    def tail(self) -> str:
        """The end of its log."""
        return self._child.tail() if self._child else ""
