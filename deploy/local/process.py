"""Child processes that end with us, whatever ends us."""

import contextlib
import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
TAIL_BYTES = 2_000


class StartError(Exception):
    """A part did not come up; says which, why, and what its log ends with."""


def free_port(preferred: int = 0) -> int:
    """A port of 127.0.0.1 that nobody listens on now: the preferred one if it is free."""
    for port in (preferred, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As servers do: connections that linger from before are no listener.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise StartError("127.0.0.1 has no free port")


@dataclass(slots=True)
class Child:
    """A running child: its log and how to end it."""

    name: str
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def pid(self) -> int:
        return self.process.pid

    def tail(self) -> str:
        """The end of its log."""
        return tail_of(self.log_file)

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout_s: float = 20) -> int | None:
        """Ask it to end, then make it; returns its exit code."""
        if self.alive:
            self.process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout_s)
        if self.alive:
            self.kill()
        return self.process.returncode

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait(10)


def spawn(
    name: str,
    argv: Sequence[str | Path],
    log_file: Path,
    *,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
) -> Child:
    """Start a child that the kernel ends when we die; its output goes to `log_file`."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    account = pwd.getpwnam(user) if user else None
    with log_file.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            # An own session: Ctrl-C reaches us alone, and we end the children in order.
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
    return Child(name, process, log_file)


def tail_of(log_file: Path) -> str:
    """The last lines of a log."""
    if not log_file.exists():
        return ""
    with log_file.open("rb") as log:
        log.seek(max(0, log_file.stat().st_size - TAIL_BYTES))
        return log.read().decode(errors="replace").strip()


def end_orphan(pid: int, started_at: float) -> bool:
    """End a process of an earlier run; only if pid and start time both are what we wrote down."""
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started_at) > 1:
            return False
        process.kill()
        process.wait(10)
    except psutil.NoSuchProcess:
        return False
    return True


def unprivileged_user() -> str | None:
    """Whom to become for programs that refuse to run as root; `None` when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise StartError("running as root, and there is no user `nobody` to run Postgres as")


def can_enter(user: str, path: Path) -> bool:
    """Whether `user` may reach `path` from the root directory."""
    account = pwd.getpwnam(user)
    for folder in [path, *path.parents]:
        if not folder.exists():
            continue
        status = folder.stat()
        if status.st_uid == account.pw_uid:
            needed = 0o100
        elif status.st_gid == account.pw_gid:
            needed = 0o010
        else:
            needed = 0o001
        if not status.st_mode & needed:
            return False
    return True


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
