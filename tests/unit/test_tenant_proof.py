"""The key by which a tenant's producers sign: only for tenants that can be, and told to the log."""

import json

import pytest
from typer.testing import CliRunner, Result

from assay_sdk.proof import ProofKey
from deploy.cli import main
from shared.proof import Proofs
from tests.support.commands import commands_leave_the_log  # noqa: F401 - in force by its name

MASTER = "a" * 32


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ASSAY_POSTGRES_DSN", "ASSAY_POSTGRES_DSN_FILE", "ASSAY_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ASSAY_EVENT_MASTER_KEY", f"3:{MASTER}")


def asked(tenant: str) -> Result:
    return CliRunner().invoke(main.app, ["keys", "tenant-proof", "--tenant", tenant, "--json"])


def test_what_it_signs_is_known_by_the_master_key() -> None:
    answer = asked("acme")
    assert answer.exit_code == 0, answer.output
    said = json.loads(answer.stdout)
    header = ProofKey(said["key"]).header("t", "acme", b"{}")
    Proofs({"3": MASTER.encode()}).check("t", "acme", b"{}", [header])
    assert said["version"] == "3"
    assert "audit log is not told" in answer.stderr


def test_no_key_is_printed_that_the_log_cannot_be_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_POSTGRES_DSN", "postgresql://u:p@127.0.0.1:1/d")
    monkeypatch.setenv("ASSAY_SECRET_KEY", MASTER)
    answer = asked("acme")
    assert answer.exit_code == 1
    assert answer.stdout == ""


@pytest.mark.parametrize("tenant", ["", "NO", "a b", "a" * 65, "acme\n"])
def test_what_names_no_tenant_has_none(tenant: str) -> None:
    answer = asked(tenant)
    assert answer.exit_code == 1
    assert answer.stdout == ""


def test_without_a_master_key_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_EVENT_MASTER_KEY")
    answer = asked("acme")
    assert answer.exit_code == 1
    assert "ASSAY_EVENT_MASTER_KEY" in answer.stderr
