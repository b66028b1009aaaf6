"""How Kafka lets the agent in, from the environment: what does not fit is named."""

import ssl
from pathlib import Path

import pytest

from assay_sdk import Assay
from assay_sdk.proof import ProofKey
from assay_sdk.security import security_from_env
from shared.kafka_settings import KafkaSettings
from tests.support.certificates import Authority

SASL = {"SASL_USERNAME": "agents", "SASL_PASSWORD": "never-to-be-shown"}


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"ASSAY_KAFKA_{name}", value)


def test_without_more_it_is_plain() -> None:
    assert security_from_env() == {"security_protocol": "PLAINTEXT"}


def test_it_reads_what_the_services_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("agents")
    given(
        monkeypatch,
        **SASL,
        BOOTSTRAP_SERVERS="a:1",
        SECURITY_PROTOCOL="SASL_SSL",
        SSL_CAFILE=str(authority.ca),
        SSL_CERTFILE=str(cert),
        SSL_KEYFILE=str(key),
    )
    ours, theirs = security_from_env(), dict(KafkaSettings().connection)  # type: ignore[call-arg]
    assert isinstance(ours.pop("ssl_context"), ssl.SSLContext)
    assert ours == {name: theirs[name] for name in ours}
    assert set(theirs) - set(ours) == {"bootstrap_servers", "ssl_context"}


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({**SASL}, "SASL_USERNAME"),
        ({"SECURITY_PROTOCOL": "tls"}, "SECURITY_PROTOCOL"),
        ({"SECURITY_PROTOCOL": "SASL_SSL"}, "SASL_PASSWORD"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT", **SASL}, "SASL_WITHOUT_TLS"),
        ({"SSL_CAFILE": "/ca.pem"}, "SECURITY_PROTOCOL"),
        ({"SECURITY_PROTOCOL": "SSL", "SSL_CAFILE": "/no/ca.pem"}, "SSL_CAFILE"),
        ({"SSL_KEYFILE": "/key.pem"}, "SECURITY_PROTOCOL"),
        ({"SECURITY_PROTOCOL": "SSL", "SSL_KEYFILE": "/key.pem"}, "SSL_CERTFILE"),
        (
            {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "SCRAM", **SASL},
            "SASL_MECHANISM",
        ),
    ],
)
def test_what_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    given(monkeypatch, **variables)
    with pytest.raises(ValueError, match=named) as caught:
        security_from_env()
    assert "never-to-be-shown" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "1", "1.", "x." + "A" * 43, "1." + "A" * 42, "1.é"])
def test_what_is_no_proof_key_is_refused_before_anything_is_sent(text: str) -> None:
    with pytest.raises(ValueError, match="proof key"):
        ProofKey(text)


def test_the_proof_key_is_taken_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text("not a key")
    monkeypatch.setenv("ASSAY_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("ASSAY_TENANT", "acme")
    monkeypatch.setenv("ASSAY_TENANT_PROOF_KEY_FILE", str(file))
    with pytest.raises(ValueError, match="proof key"):
        Assay.from_env()


def test_a_proof_key_is_not_shown() -> None:
    assert "AAAA" not in repr(ProofKey("1." + "A" * 43))
