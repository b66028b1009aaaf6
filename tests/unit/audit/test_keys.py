"""Keys from settings."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from shared.audit.keys import AuditKeyError, Keys, keys_of
from shared.env_settings import SecretFileError
from shared.settings import AuditSettings

ONE, TWO, INSTALLATION = "a" * 32, "b" * 40, "c" * 32


def test_without_a_key_one_is_made_of_the_installations_secret() -> None:
    made = keys_of(None, INSTALLATION)
    assert made.current == 0
    assert made.of_chain(0, "acme") not in {None, INSTALLATION.encode()}
    assert made.of_chain(0, "acme") != keys_of(None, ONE).of_chain(0, "acme")


def test_who_gives_a_key_later_still_verifies_what_was_sealed_before() -> None:
    before, after = keys_of(None, INSTALLATION), keys_of(ONE, INSTALLATION)
    assert after.current == 1
    assert after.of_chain(0, "acme") == before.of_chain(0, "acme")
    rotated = keys_of(f"2:{TWO} 1:{ONE}", INSTALLATION)
    assert rotated.current == 2
    assert rotated.of_chain(1, "acme") == after.of_chain(1, "acme")
    assert keys_of(f"1:{ONE},\n2:{TWO}\n", None).current == 2


def test_each_tenant_and_purpose_has_a_key_of_its_own() -> None:
    keys = keys_of(ONE, None)
    found = {
        keys.of_chain(1, "acme"),
        keys.of_chain(1, "globex"),
        keys.of_anchors(1),
        keys.of_exports(1),
    }
    assert len(found) == 4
    assert keys.of_chain(2, "acme") is None
    assert keys.digest("acme", "text") == keys.digest("acme", "text")
    assert keys.digest("acme", "text") != keys.digest("globex", "text")


@pytest.mark.parametrize("given", ["short", f"1:{ONE} 1:{TWO}", "2:short"])
def test_what_is_no_key_is_refused(given: str) -> None:
    with pytest.raises(AuditKeyError):
        keys_of(given, None)
    with pytest.raises(ValidationError):
        AuditSettings(audit_key=SecretStr(given))


def test_no_key_at_all_is_refused() -> None:
    with pytest.raises(AuditKeyError):
        keys_of(None, None)
    with pytest.raises(AuditKeyError):
        Keys({})


def test_the_key_is_read_from_a_file_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_text(f"3:{ONE}\n")
    monkeypatch.setenv("ASSAY_AUDIT_KEY_FILE", str(path))
    settings = AuditSettings()
    assert settings.audit_keys(None).current == 3
    assert ONE not in repr(settings)
    monkeypatch.setenv("ASSAY_AUDIT_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(SecretFileError):
        AuditSettings()
