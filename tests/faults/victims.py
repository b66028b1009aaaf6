"""Services as real processes that can be killed and started again."""

import os
import signal
import sys
from pathlib import Path

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

    def start(self, fault_point: str | None = None) -> None:
        """Start it; with a fault point it will kill itself there."""
        env = self._env | {"ASSAY_TELEMETRY_PORT": str(free_port())}
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

    def kill(self) -> None:
        """kill -9."""
        if self._child is not None:
            self._child.kill()
            self.deaths += 1

    def stop(self) -> None:
        """End it at the end of the test."""
        if self._child is not None:
            self._child.stop(timeout_s=25)

    def tail(self) -> str:
        """The end of its log."""
        return self._child.tail() if self._child else ""
