"""`assay up` prints how to reach it, and never what proves every tenant."""

from pathlib import Path

import pytest

from deploy.local.stack import Addresses
from deploy.system import Running, System
from shared.kafka_settings import plain
from shared.proof import Proofs

MASTER = "a" * 32


def system(folder: Path) -> System:
    return System(folder, lambda *_: None, lambda *_: None)


def running(folder: Path) -> Running:
    made = system(folder)._proofs_for("acme")
    addresses = Addresses(plain("a:1"), "postgresql://a", "redis://a", own_broker=True)
    return Running("http://a", addresses, "key", "acme", "ai.", False, "/audit.key", *made)


def test_open_needs_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ASSAY_EVENT_TRUST", raising=False)
    assert not any("PROOF" in name or "MASTER" in name for name in running(tmp_path).variables())


@pytest.mark.parametrize("given", ["made", "variable", "file"])
def test_the_master_key_is_named_by_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str
) -> None:
    monkeypatch.setenv("ASSAY_EVENT_TRUST", "signed")
    mine = tmp_path / "mine"
    mine.write_text(MASTER)
    if given == "variable":
        monkeypatch.setenv("ASSAY_EVENT_MASTER_KEY", MASTER)
    if given == "file":
        monkeypatch.setenv("ASSAY_EVENT_MASTER_KEY_FILE", str(mine))
    found = running(tmp_path)
    file = Path(found.variables()["ASSAY_EVENT_MASTER_KEY_FILE"])
    master = file.read_text().strip()
    assert master not in str(found.variables()) + repr(found)
    assert "ASSAY_EVENT_MASTER_KEY" not in found.variables()
    expected = Proofs({"1": master.encode()}).tenant_key("acme")
    assert found.variables()["ASSAY_TENANT_PROOF_KEY"] == expected
    if given == "file":
        assert file == mine
    else:
        assert file.stat().st_mode & 0o077 == 0
    assert (master == MASTER) is (given != "made")
