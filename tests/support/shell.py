"""A bash that is told one statement after the other, as a person types them."""

import os
import re
import select
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.examples import Statement, like

END = re.compile(rb"\x1e(\d+)\x1e")
STATUS = re.compile(r"<<(\d{3})>>")


@dataclass(frozen=True)
class Said:
    """What came of a statement."""

    code: int
    text: str
    statuses: list[int]


class Shell:
    """It keeps its variables and aliases; every curl in it also says the status it got."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self._script, write = os.pipe()
        self._write = os.fdopen(write, "w")
        self._process = subprocess.Popen(
            ["bash", "-O", "expand_aliases", f"/dev/fd/{self._script}"],
            env=env | {"PATH": f"{_with_status(folder)}:{env['PATH']}"},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[self._script],
        )

    def close(self) -> None:
        """Let it go."""
        self._write.close()
        os.close(self._script)
        self._process.wait(30)

    def run(self, code: str, deadline_s: float = 120) -> Said:
        """Have it done."""
        self._write.write(f"{code}\nprintf '\\036%d\\036' $?\n")
        self._write.flush()
        give_up_at = time.monotonic() + deadline_s
        assert self._process.stdout is not None
        source = self._process.stdout.fileno()
        heard = b""
        while not (end := END.search(heard)):
            left = give_up_at - time.monotonic()
            ready, _, _ = select.select([source], [], [], max(left, 0))
            more = os.read(source, 65536) if ready else b""
            assert more, f"no end of: {code}\n{heard.decode(errors='replace')}"
            heard += more
        text = heard[: end.start()].decode(errors="replace")
        statuses = [int(status) for status in STATUS.findall(text)]
        return Said(int(end[1]), STATUS.sub("", text), statuses)

    def do(self, statement: Statement, deadline_s: float = 60) -> Said:
        """Have it done; what only asks is asked again until it answers as promised."""
        give_up_at = time.monotonic() + deadline_s
        while True:
            said = self.run(statement.code)
            wrong = complaint(statement, said)
            if not wrong:
                return said
            again = statement.asks_only and time.monotonic() < give_up_at
            assert again, f"{wrong}\n{statement.code}\n{said.text}"
            time.sleep(0.3)


def complaint(statement: Statement, said: Said) -> str:
    """What a statement's answer lacks of what the page promises; empty when nothing."""
    if said.code:
        return f"it ended with {said.code}"
    promised = statement.status
    if promised and said.statuses[-1:] != [promised]:
        return f"{promised} was promised, {said.statuses} came"
    if not promised and any(not 200 <= status < 300 for status in said.statuses):
        return f"it was refused: {said.statuses}"
    lacking = [answer for answer in statement.answers if not like(answer, said.text)]
    return f"this was promised: {lacking[0]}" if lacking else ""


def _with_status(folder: Path) -> Path:
    curl = shutil.which("curl")
    assert curl, "the docs' examples need curl"
    place = folder / ".bin"
    place.mkdir(exist_ok=True)
    wrapper = place / "curl"
    wrapper.write_text(f"#!/bin/sh\nexec {curl} \"$@\" -w '%{{stderr}}<<%{{http_code}}>>'\n")
    wrapper.chmod(0o755)
    return place
