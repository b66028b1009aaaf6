"""Toxiproxy, built from its Go module: bad networks between a service and what it needs."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx2

from deploy.local.process import Child, free_port, spawn

VERSION = "v2.12.0"
MODULE = f"github.com/Shopify/toxiproxy/v2/cmd/server@{VERSION}"
TIMEOUT_S = 10


def toxiproxy_binary() -> Path | None:
    """The server, built once and kept in the user's cache; `None` without Go."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "assay" / f"toxiproxy-{VERSION}"
    if not (folder / "server").exists():
        go = shutil.which("go")
        if go is None:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([go, "install", MODULE], env={**os.environ, "GOBIN": folder}, check=True)
    return folder / "server"


class Toxiproxy:
    """One server with any number of proxies."""

    def __init__(self, binary: Path, log_file: Path) -> None:
        port = free_port()
        self._child: Child = spawn(
            "toxiproxy", [binary, "-host", "127.0.0.1", "-port", str(port)], log_file
        )
        transport = httpx2.HTTPTransport(retries=10)
        self._client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=TIMEOUT_S
        )

    def add(self, name: str, listen: int, upstream: int) -> None:
        """A proxy from one port of 127.0.0.1 to another."""
        body = {
            "name": name,
            "listen": f"127.0.0.1:{listen}",
            "upstream": f"127.0.0.1:{upstream}",
            "enabled": True,
        }
        give_up_at = time.monotonic() + TIMEOUT_S
        # A port that was free when it was chosen may be a passing connection's own end by now.
        while not (answer := self._client.post("/proxies", json=body)).is_success:
            if time.monotonic() > give_up_at:
                answer.raise_for_status()
            time.sleep(0.1)

    def poison(self, name: str, kind: str, stream: str = "downstream", **attributes: int) -> None:
        """Make a link bad; see Toxiproxy's list of toxics for kinds and attributes."""
        body = {"type": kind, "stream": stream, "attributes": attributes}
        self._post(f"/proxies/{name}/toxics", body)

    def cut(self, name: str) -> None:
        """Close the link's connections and refuse new ones."""
        self._post(f"/proxies/{name}", {"enabled": False})

    def heal(self) -> None:
        """Make every link good again."""
        self._post("/reset", {})

    def stop(self) -> None:
        """End the server."""
        self._client.close()
        self._child.stop()

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self._client.post(path, json=body).raise_for_status()
