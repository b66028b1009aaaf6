"""Each command tells the audit log what it does, or says here why not."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import main
from deploy.cli_docs import commands
from tests.support.commands import commands_leave_the_log  # noqa: F401 - in force by its name
from tests.support.system import SECRET

NOWHERE = "127.0.0.1:1"
TELLING = {
    "audit export": ("{tmp}/log",),
    "dlq redrive": ("--all",),
    "dlq show": ("t:0:0",),
    "fences move": ("t", "0", "--yes"),
    "keys create": ("--role", "viewer", "--tenant", "acme"),
    "rebuild abtest": (),
    "rebuild metrics": (),
    "rebuild training": (),
    "reconcile": (),
    "retention run": (),
    "tenants content-free": ("acme",),
}
"""Commands that tell the log, and how to call them."""
ELSEWHERE = {"keys revoke", "keys rotate", "roles login"}
"""Tried with keys, and with files of passwords, in tests of these."""
SILENT = {
    "audit verify": "reads a file",
    "demo": "as up, then events",
    "doctor": "a look, also while the log is away",
    "dlq list": "shows no content",
    "fences list": "a look",
    "keys list": "a look, never at secrets",
    "keys tenant-proof": "the master key makes it without a database; told where there is one",
    "migrate": "the schema has its version",
    "publish": "events",
    "secrets make": "writes files; there is no log yet",
    "service": "what services do is no person's",
    "topics acls": "prints, and changes nothing",
    "topics create": "what is there stays",
    "up": "makes a key for the log itself; the passwords and keys that it gives are told",
}
"""Commands that leave no row, and why."""


def test_each_command_tells_the_log_or_says_why_not() -> None:
    assert commands().keys() == TELLING.keys() | ELSEWHERE | SILENT.keys()
    assert not TELLING.keys() & SILENT.keys()


@pytest.mark.parametrize("command", TELLING)
def test_who_cannot_be_told_of_does_nothing(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the log's key a command ends before it asks any server, which here is none."""
    for name in ("AUDIT_KEY", "AUDIT_KEY_FILE", "SECRET_KEY", "SECRET_KEY_FILE"):
        monkeypatch.delenv(f"ASSAY_{name}", raising=False)
    for name, value in {
        "ASSAY_POSTGRES_DSN": f"postgresql://nobody@{NOWHERE}/nothing",
        "ASSAY_REDIS_URL": f"redis://{NOWHERE}",
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": NOWHERE,
        "ASSAY_EVENT_MASTER_KEY": SECRET,
    }.items():
        monkeypatch.setenv(name, value)
    arguments = [one.format(tmp=tmp_path) for one in TELLING[command]]
    answer = CliRunner().invoke(main.app, [*command.split(), *arguments])
    assert answer.exit_code == 1, answer.output
    assert "ASSAY_AUDIT_KEY" in answer.output
    assert not list(tmp_path.iterdir())
