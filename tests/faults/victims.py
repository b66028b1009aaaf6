"""Services as real processes that can be killed and started again."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil

from deploy.local.process import Child, free_port, spawn
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


@contextmanager
def two_of(service: str, env: dict[str, str], logs: Path) -> Iterator[list["Victim"]]:
    """Two processes of a service, not started; killed at the end, whatever state they are in."""
    two = []
    for name in ("one", "two"):
        (folder := logs / name).mkdir()
        two.append(Victim(service, env, folder))
    yield two
    for victim in two:
        victim.wake()
        victim.kill()


class Victim:
    """One service process, and how often it was killed."""

    def __init__(
        self, name: str, env: dict[str, str], logs: Path, command: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.deaths = 0
        self.wanted = False
        """Whether somebody who looks after it would start it again."""
        self._env = {**os.environ, "PYTHONPATH": str(ROOT), **env}
        self._log = logs / f"{name}.log"
        self._command = command or ("-m", f"services.{name}")
        self._child: Child | None = None
        self._port = 0
        self._client = httpx2.AsyncClient(timeout=5, verify=False)

    def start(self, fault_point: str | None = None, **variables: str) -> None:
        """Start it; with a fault point it will kill itself there."""
        self._port = free_port()
        variable = "ASSAY_GATEWAY_PORT" if self.name == "gateway" else "ASSAY_TELEMETRY_PORT"
        env = self._env | {variable: str(self._port)} | variables
        if fault_point:
            env["ASSAY_FAULT_POINT"] = fault_point
        argv: list[str | Path] = [sys.executable, *self._command]
        self._child = spawn(self.name, argv, self._log, env=env)
        self.wanted = True

    def run_as(self, *command: str) -> None:
        """From its next start on, be another program."""
        self._command = command

    @property
    def url(self) -> str:
        """Where it answers HTTP."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Its process id; 0 before it was started."""
        return self._child.pid if self._child else 0

    @property
    def exit_code(self) -> int | None:
        """How it ended; `None` while it lives."""
        return None if self._child is None else self._child.process.poll()

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
            (await self._client.get(f"{self.url}/healthz")).raise_for_status()
            answer = (await self._client.get(f"{self.url}/readyz")).json()
        except httpx2.TransportError:
            return None
        if "waits_for" in answer:
            return dict(answer["waits_for"])
        states: dict[str, str] = answer["dependencies"]  # the gateway's
        return {name: state for name, state in states.items() if state != "ok"}

    async def ready(self) -> None:
        """Wait until nothing is missing that it needs, or it has ended by itself."""

        async def so() -> bool:
            return not self.alive or await self.waits_for() == {}

        await eventually(so, why=f"{self.name} is ready", deadline_s=60)

    @property
    def is_stopped(self) -> bool:
        """Whether it stands still (SIGSTOP)."""
        status = self._child and psutil.Process(self._child.pid).status()
        return bool(status == psutil.STATUS_STOPPED)

    def send(self, how: signal.Signals) -> None:
        """Send it a signal."""
        if self._child is not None:
            self._child.process.send_signal(how)

    def pause(self) -> None:
        """SIGSTOP."""
        self.send(signal.SIGSTOP)

    def wake(self) -> None:
        """SIGCONT."""
        self.send(signal.SIGCONT)

    async def number(self, name: str) -> float:
        """The sum of a Prometheus number that it gives, over all labels."""
        text = (await self._client.get(f"{self.url}/metrics")).text
        lines = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def kill(self) -> None:
        """kill -9."""
        self.wanted = False
        if self._child is not None:
            self._child.kill()
            self.deaths += 1

    def stop(self) -> int | None:
        """Ask it to end; answers its exit code."""
        self.wanted = False
        return self._child.stop(timeout_s=25) if self._child else None

    def tail(self) -> str:
        """The end of its log."""
        return self._child.tail() if self._child else ""
