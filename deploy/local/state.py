"""What a data folder remembers between runs: secrets, ports, and whom to look for after a crash."""

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import Any

import psutil

from deploy.local.process import Child, StartError, end_orphan


class DataDir:
    """One folder, one running system."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path / "state.json"
        self._lock: int | None = None

    def open(self) -> list[int]:
        """Take the folder for us and end what a killed run left alive; returns those pids."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            self._lock = None
            raise StartError(
                f"{self.path} is in use by another Assay; stop it or choose another --data-dir"
            ) from error
        known = self.read().get("children", [])
        ended = [pid for pid, started_at in known if end_orphan(pid, started_at)]
        self.write(children=[])
        return ended

    def close(self) -> None:
        """Give the folder back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read(self) -> dict[str, Any]:
        """All that is remembered."""
        try:
            found: dict[str, Any] = json.loads(self._file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return found

    def write(self, **changes: Any) -> None:
        """Remember more, atomically, readable by nobody else."""
        content = json.dumps(self.read() | changes, indent=1)
        temporary = self._file.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(content)
        temporary.replace(self._file)

    def secret(self, name: str) -> str:
        """A random secret that stays the same for this folder."""
        known = self.read().get("secrets", {})
        if name not in known:
            known[name] = secrets.token_hex(24)
            self.write(secrets=known)
        return str(known[name])

    def secret_file(self, name: str, content: str) -> Path:
        """A secret as a file that nobody else may read."""
        path = (self.path / name).absolute()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(content + "\n")
        return path

    def remember_child(self, child: Child) -> None:
        """Note a child, so that the next run can end it if this one is killed."""
        started_at = psutil.Process(child.pid).create_time()
        self.write(children=[*self.read().get("children", []), [child.pid, started_at]])
