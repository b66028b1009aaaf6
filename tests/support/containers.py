"""A container without an engine: its command and its environment, from the files that say so.

Nothing of the caller's environment gets in. As root the process becomes somebody else, where that
one may read our code; its folder is one that it may not write to.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.process import Child, can_enter, spawn
from tests.support.composed import composed, environment_of
from tests.support.image import ROOT, environment, exec_form

SECRETS = "/run/secrets/"
NOBODY = "nobody"


@dataclass(slots=True)
class Host:
    """What the compose file's names are here."""

    folder: Path
    secrets: Path
    servers: Mapping[str, str]
    """host:port in the file -> host:port of this machine."""
    more: Mapping[str, str] = field(default_factory=dict)
    """Further variables of every container."""

    def __post_init__(self) -> None:
        for name, mode in (("work", 0o555), ("state", 0o777), ("logs", 0o755)):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(mode)

    def environment(self, service: str) -> dict[str, str]:
        """Of the image, then of the compose file; folders and addresses are those of here."""
        binaries = Path(sys.executable).parent
        found = environment() | environment_of(service) | dict(self.more)
        return {name: self._here(value) for name, value in found.items()} | {
            "PATH": f"{binaries}:/usr/bin:/bin",
            "HOME": "/tmp",
            "ASSAY_DOCS_DIR": str(ROOT / "docs"),
        }

    def command(self, service: str, *arguments: str) -> list[str]:
        """The image's entry with the compose file's command, or the image's."""
        given = composed()["services"][service].get("command") or exec_form("CMD")
        words = arguments or given
        return [*exec_form("ENTRYPOINT"), *(self._here(word) for word in words)]

    def start(self, service: str, ports: Mapping[str, int]) -> Child:
        """Start a service in the background."""
        variables = self.environment(service) | {name: str(p) for name, p in ports.items()}
        program, *arguments = self.command(service)
        path = Path(sys.executable).parent / program
        argv = ["env", f"--chdir={self.folder / 'work'}", str(path), *arguments]
        log_file = self.folder / "logs" / f"{service}.log"
        return spawn(service, argv, log_file, env=variables, user=self._user())

    def run(self, service: str, *arguments: str) -> str:
        """Run a job to its end; answers what it printed. Fails with what it said."""
        program, *words = self.command(service, *arguments)
        done = subprocess.run(
            [Path(sys.executable).parent / program, *words],
            env=self.environment(service),
            cwd=self.folder / "work",
            user=self._user(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{service}: {done.stdout}{done.stderr}"
        return done.stdout

    def _here(self, value: str) -> str:
        for there, here in self.servers.items():
            value = value.replace(there, here)
        value = value.replace(SECRETS.rstrip("/"), str(self.secrets))
        return value.replace("/var/lib/assay", str(self.folder / "state"))

    def _user(self) -> str | None:
        python = Path(sys.executable)
        readable = (python.parent, python.resolve().parent, ROOT / "services", self.folder)
        is_root = os.geteuid() == 0
        return NOBODY if is_root and all(can_enter(NOBODY, one) for one in readable) else None
