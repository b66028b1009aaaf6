"""A running `assay up`, and what a stranger can do with it."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
ASSAY = [sys.executable, "-c", "from deploy.cli import app; app()"]


def until(condition: Callable[[], Any], why: str, deadline_s: float = 60) -> Any:
    """The first true answer."""
    give_up_at = time.monotonic() + deadline_s
    while not (answer := condition()):
        assert time.monotonic() < give_up_at, why
        time.sleep(0.1)
    return answer


class Up:
    """A running `assay up`."""

    def __init__(self, process: subprocess.Popen[bytes], env: dict[str, str], folder: Path) -> None:
        self.process = process
        self.env = env
        self.folder = folder

    def request(
        self, path: str, body: Any = None, key: str | None = None, method: str | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of a request to the gateway."""
        status, content = self.raw(path, body, key, method)
        return status, json.loads(content) if content else None

    def raw(
        self, path: str, body: Any = None, key: str | None = None, method: str | None = None
    ) -> tuple[int, bytes]:
        """Status and bytes of a request to the gateway."""
        headers = {"Content-Type": "application/json"}
        if key != "":
            headers["Authorization"] = f"Bearer {key or self.env['ASSAY_ADMIN_KEY']}"
        data = None if body is None else json.dumps(body).encode()
        url = self.env["ASSAY_GATEWAY_URL"] + path
        asked = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=40) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (urllib.error.URLError, ConnectionError):
            return 0, b""

    def assay(self, *arguments: str, text: str | None = None) -> Any:
        """A command of the program, answered as JSON."""
        done = subprocess.run(
            [*ASSAY, *arguments, "--json"],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}", **self.env},
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def start(folder: Path, **more: str) -> Up:
    """`assay up` on a folder with more variables; returns once it is ready."""
    env_file = folder / "env"
    env_file.unlink(missing_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
    clean |= more
    clean["PYTHONPATH"] = f"{ROOT}:{ROOT / 'sdk'}"
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [*ASSAY, "up", "--data-dir", str(folder / "data"), "--env-file", str(env_file)],
            env=clean,
            stdout=out,
            stderr=out,
        )
    until(lambda: env_file.exists() or process.poll() is not None, "it is ready", 120)
    assert process.poll() is None, (folder / "out").read_text()
    pairs = (shlex.split(line)[1].partition("=") for line in env_file.read_text().splitlines())
    return Up(process, {name: value for name, _, value in pairs}, folder)


def end(up: Up, how: signal.Signals) -> int:
    """End it by a signal; nothing that it started may stay. Answers its exit code."""
    family = psutil.Process(up.process.pid).children(recursive=True)
    assert len(family) >= 6
    up.process.send_signal(how)
    code = up.process.wait(60)
    _, left = psutil.wait_procs(family, timeout=10)
    assert left == []
    return code
