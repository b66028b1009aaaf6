"""The pages on the program are of this program, and shells complete it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import cli_docs
from deploy.cli.examples import EXAMPLES
from deploy.doctor.facts import SettingsFacts, Unseen, Why
from deploy.doctor.judging import kafka, postgres, redis
from deploy.doctor.judging.settings import judge_settings
from deploy.topic_shapes import shapes

DOCTOR = Path(cli_docs.TARGET).with_name("doctor.md")


def test_the_reference_has_every_command_with_its_example() -> None:
    page = cli_docs.page()
    for path, example in EXAMPLES.items():
        assert f"\n## assay {path}\n" in page
        assert f"```sh\n{example}\n```" in page
    assert "| `--rate` | `0` |" in page
    assert "| `--role` | required |" in page


def test_a_page_that_differs_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cli_docs, "TARGET", tmp_path / "cli.md")
    monkeypatch.setattr(sys, "argv", ["cli_docs", "--check"])
    with pytest.raises(SystemExit, match="is not what the program says"):
        cli_docs.main()
    monkeypatch.setattr(sys, "argv", ["cli_docs"])
    cli_docs.main()
    monkeypatch.setattr(sys, "argv", ["cli_docs", "--check"])
    cli_docs.main()


def test_each_check_of_the_doctor_is_described() -> None:
    away = Unseen(Why.AWAY, "away")
    findings = [
        *kafka.judge_kafka(away, shapes("ai.", 6, 1), "operator", {}),
        *postgres.judge_postgres(away, []),
        *redis.judge_redis(away),
        *judge_settings(SettingsFacts()),
    ]
    text = DOCTOR.read_text()
    names = {one.name for one in findings} | {"data folder", "gateway port"}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("assay do", "doctor"), ("assay dlq re", "redrive"), ("assay fences list --gr", "--group")],
)
def test_a_shell_completes_commands_and_options(typed: str, completed: str) -> None:
    environment = {
        **os.environ,
        "_ASSAY_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }
    program = Path(sys.executable).with_name("assay")
    answer = subprocess.run(
        [program], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert completed in answer.stdout.split(), answer.stderr
