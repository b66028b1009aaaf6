"""Each command takes --json, has help and an example, and fails in words when servers are away."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import main
from deploy.cli.examples import EXAMPLES
from deploy.cli_docs import commands
from deploy.local.process import free_port
from tests.support.system import SECRET

COMMANDS = commands()
WORKS_ALONE = {
    "topics acls": "prints",
    "keys tenant-proof": "derived from the master key",
    "secrets make": "writes files",
}
"""Commands that need no server."""
RUNS_ON = {"service": "a service waits for its servers"}
"""Commands that end by a signal only."""


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable is set, and the files that examples name are there."""
    for name in [one for one in os.environ if one.startswith("ASSAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ASSAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    Path("events.jsonl").write_text('{"operation_id": "1"}\n')
    Path("anchors.jsonl").touch()


@pytest.fixture
def _away(_bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is named, and nobody listens there."""
    nowhere = f"127.0.0.1:{free_port()}"
    for name, value in {
        "ASSAY_POSTGRES_DSN": f"postgresql://somebody:hush-hush@{nowhere}/nothing",
        "ASSAY_REDIS_URL": f"redis://:hush-hush@{nowhere}/0",
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": nowhere,
        "ASSAY_SECRET_KEY": SECRET,
        "ASSAY_GATEWAY_PORT": "0",
    }.items():
        monkeypatch.setenv(name, value)


def run(command: str, *more: str) -> Result:
    return CliRunner().invoke(main.app, [*shlex.split(EXAMPLES[command])[1:], *more])


def ended_in_words(answer: Result) -> None:
    """An exit code, no traceback, and what to do."""
    assert answer.exit_code == 1, answer.output
    assert isinstance(answer.exception, SystemExit), answer.exception
    assert "Traceback" not in answer.output
    assert "hush-hush" not in answer.output
    assert "why:" in answer.stderr
    assert "next:" in answer.stderr


def test_each_command_has_one_example() -> None:
    assert EXAMPLES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_explains_itself(path: str) -> None:
    command: Any = COMMANDS[path]
    assert "--json" in {option for one in command.params for option in one.opts}
    unexplained = [one.name for one in command.params if not getattr(one, "help", None)]
    assert unexplained == []
    answer = CliRunner().invoke(main.app, [*path.split(), "--help"])
    shown = " ".join(answer.output.split())
    assert answer.exit_code == 0
    assert " ".join(command.help.split("\n\n")[0].split()) in shown
    assert "Example: assay" in shown


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_can_be_typed_as_it_stands(path: str) -> None:
    words = shlex.split(EXAMPLES[path])
    assert words[: 1 + len(path.split())] == ["assay", *path.split()]
    arguments = words[1 + len(path.split()) :]
    COMMANDS[path].make_context(path, arguments)  # raises on what it does not know


@pytest.mark.usefixtures("_away")
@pytest.mark.parametrize("path", sorted(COMMANDS.keys() - WORKS_ALONE.keys() - RUNS_ON.keys()))
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_with_all_servers_away_a_command_says_why_and_what_next(
    path: str, more: tuple[str, ...]
) -> None:
    answer = run(path, *more)
    if path == "doctor":  # its whole answer is that
        assert answer.exit_code == 1
        assert "next" in answer.stdout
        assert "Traceback" not in answer.output
        return
    ended_in_words(answer)
    assert answer.stdout == ""  # no half an answer for a program


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize(
    "path", sorted(COMMANDS.keys() - {"doctor", "demo", "secrets make", "topics acls", "up"})
)
def test_with_no_variable_set_a_command_names_one(path: str) -> None:
    answer = run(path)
    ended_in_words(answer)
    assert "ASSAY_" in answer.stderr or path == "roles login"  # looks for its files first


@pytest.mark.usefixtures("_away")
@pytest.mark.parametrize("path", WORKS_ALONE)
def test_what_needs_no_server_answers_without(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_EVENT_MASTER_KEY", SECRET)
    monkeypatch.delenv("ASSAY_POSTGRES_DSN")
    answer = run(path, "--json")
    assert (answer.exit_code, bool(json.loads(answer.stdout))) == (0, True)


@pytest.mark.usefixtures("_away")
@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("publish none.jsonl", "none.jsonl"),
        ("publish .", "Is a directory"),
        ("audit verify none.jsonl", "none.jsonl cannot be read: No such file"),
        ("audit verify .", "Is a directory"),
        ("audit verify events.jsonl --anchors none", "none cannot be read"),
        ("audit verify events.jsonl", "cannot be verified"),
        ("audit export none/x.jsonl", "export"),
        ("demo --trace none.csv", "none.csv"),
        ("demo --summary none/summary.json", "none/summary.json cannot be written"),
        ("up --env-file none/env", "none/env cannot be written"),
        ("up --env-file .", "cannot be written"),
    ],
)
def test_a_wrong_file_is_named(words: str, named: str) -> None:
    answer = CliRunner().invoke(main.app, shlex.split(words))
    ended_in_words(answer)
    assert named in answer.stderr
    assert "export the log anew" not in answer.stderr or "events.jsonl --anchors" not in words


@pytest.mark.usefixtures("_away")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ASSAY_TOPIC_PARTITIONS", "six", "topics create"),
        ("ASSAY_POSTGRES_DSN", "postgresql://h/d?sslrootcert=/none", "dlq list"),
        ("ASSAY_REDIS_URL", "http://h", "rebuild metrics"),
        ("ASSAY_KAFKA_SECURITY_PROTOCOL", "SASL_SSL", "publish events.jsonl"),
        ("ASSAY_AUDIT_KEY", "short", "keys create --role viewer --tenant acme"),
        ("ASSAY_SECRET_KEY_FILE", "/none", "keys create --role viewer --tenant acme"),
        ("ASSAY_GATEWAY_PORT", "http", "up"),
        ("ASSAY_LOG_LEVEL", "loud", "service metrics"),
    ],
)
def test_a_wrong_setting_is_named(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(main.app, shlex.split(words))
    ended_in_words(answer)
    assert name.removesuffix("_FILE") in answer.stderr
