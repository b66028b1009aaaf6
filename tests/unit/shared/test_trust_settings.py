"""Settings of trust: what cannot work is said at start, and no secret is repeated."""

import ast
from pathlib import Path

import pytest

from shared.env_settings import SecretFileError, secret_of
from shared.settings import SharedSettings, load

ROOT = Path(__file__).parents[3]
SECRET = "a" * 32


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("ASSAY_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("ASSAY_REDIS_URL", "redis://127.0.0.1:1")
    return monkeypatch


def said(variables: pytest.MonkeyPatch, **changes: str) -> str:
    """What is said when these cannot be used."""
    for name, value in changes.items():
        variables.setenv(f"ASSAY_{name}", value)
    with pytest.raises(SystemExit) as caught:
        load(SharedSettings)
    return str(caught.value)


def test_open_signs_with_a_key_but_asks_for_none(variables: pytest.MonkeyPatch) -> None:
    assert (load(SharedSettings).signer, load(SharedSettings).verifier) == (None, None)
    variables.setenv("ASSAY_EVENT_MASTER_KEY", SECRET)
    found = load(SharedSettings)
    assert found.signer is not None
    assert found.verifier is None


def test_signed_judges_by_what_it_signs_with(variables: pytest.MonkeyPatch) -> None:
    variables.setenv("ASSAY_EVENT_TRUST", "signed")
    variables.setenv("ASSAY_EVENT_MASTER_KEY", SECRET)
    found = load(SharedSettings)
    assert found.signer is not None
    assert found.verifier is not None
    assert found.verifier.fingerprints() == found.signer.fingerprints() == found.fingerprints
    found.verifier.check("t", "acme", b"{}", [found.signer.header("t", "acme", b"{}")])


def test_signed_without_a_key_does_not_start(variables: pytest.MonkeyPatch) -> None:
    why = said(variables, EVENT_TRUST="signed")
    assert why.startswith("ASSAY_EVENT_TRUST is signed, which needs ASSAY_EVENT_MASTER_KEY")


def test_a_weak_key_is_refused_and_not_repeated(variables: pytest.MonkeyPatch) -> None:
    why = said(variables, EVENT_MASTER_KEY="hunter2")
    assert why.startswith("ASSAY_EVENT_MASTER_KEY is wrong: ")
    assert "hunter2" not in why


def test_a_secret_may_stand_in_a_file(variables: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"2:{SECRET}b\n1:{SECRET}\n")
    variables.setenv("ASSAY_EVENT_MASTER_KEY_FILE", str(file))
    found = load(SharedSettings).signer
    assert found is not None
    assert found.tenant_key("acme").startswith("2.")


def test_an_empty_variable_beside_the_name_of_a_file_hides_no_secret(
    variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "url"
    file.write_text("redis://in-the-file:1\n")
    variables.setenv("ASSAY_REDIS_URL", "")
    variables.setenv("ASSAY_REDIS_URL_FILE", str(file))
    assert load(SharedSettings).redis_url.get_secret_value() == "redis://in-the-file:1"


def test_a_file_that_is_not_there_is_named(variables: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    why = said(variables, REDIS_URL="", REDIS_URL_FILE=missing)
    assert why.startswith(f"ASSAY_REDIS_URL_FILE names {missing}, which cannot be read: No such")


def test_two_places_for_one_secret_are_one_too_many(variables: pytest.MonkeyPatch) -> None:
    why = said(variables, EVENT_MASTER_KEY=SECRET, EVENT_MASTER_KEY_FILE="/x")
    assert "ASSAY_EVENT_MASTER_KEY and ASSAY_EVENT_MASTER_KEY_FILE are both set" in why
    with pytest.raises(SecretFileError):
        secret_of("A", {"A": "x", "A_FILE": "/x"})


def test_no_service_decodes_a_record_without_saying_whose_word_it_takes() -> None:
    """`None` there would take anybody's: only `settings.verifier` may decide that."""
    found = 0
    for path in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "decode":
                found += 1
                assert ast.unparse(node.args[3]) == "proofs", path
    assert found == 6
