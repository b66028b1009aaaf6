"""How clients are let in: nothing goes in the clear by mistake, and mistakes have names."""

import ast
import ssl
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from faststream.kafka.security import parse_security
from pydantic import ValidationError

from shared.kafka import _security
from shared.kafka_errors import refusal
from shared.kafka_settings import KafkaSettings
from tests.support.certificates import Authority

PASSWORD = "never-to-be-shown"
SASL = {"kafka_sasl_username": "agent", "kafka_sasl_password": PASSWORD}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def settings(**changes: Any) -> KafkaSettings:
    members = {f"kafka_{name}" if "kafka" not in name else name: v for name, v in changes.items()}
    return KafkaSettings(kafka_bootstrap_servers="a:1,b:2", **members)


def problem(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        settings(**changes)
    said = str(caught.value.errors()[0]["ctx"]["error"])
    assert PASSWORD not in said
    return said


def test_without_more_it_is_plain() -> None:
    found = settings().connection
    assert found["bootstrap_servers"] == ["a:1", "b:2"]
    assert (found["security_protocol"], found["ssl_context"]) == ("PLAINTEXT", None)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_names_and_passwords_go_through_tls(mechanism: str) -> None:
    found = settings(security_protocol="SASL_SSL", sasl_mechanism=mechanism, **SASL).connection
    assert isinstance(found["ssl_context"], ssl.SSLContext)
    assert found["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert found["ssl_context"].check_hostname
    of_faststream = parse_security(_security(found))
    assert of_faststream == {name: found[name] for name in of_faststream}
    assert set(found) - set(of_faststream) == {"bootstrap_servers"}


def test_mtls_shows_our_certificate(authority: Authority) -> None:
    cert, key = authority.issue("gateway")
    found = settings(
        security_protocol="SSL",
        ssl_cafile=authority.ca,
        ssl_certfile=cert,
        ssl_keyfile=key,
    ).connection
    assert parse_security(_security(found))["security_protocol"] == "SSL"
    assert "sasl_mechanism" not in found


def test_faststream_is_not_believed_when_it_would_speak_in_the_clear() -> None:
    connection = dict(settings(security_protocol="SASL_SSL", **SASL).connection)
    connection["ssl_context"] = None
    with pytest.raises(RuntimeError, match="would not speak SASL_SSL"):
        _security(connection)


def test_passwords_in_the_clear_are_refused_unless_that_is_wanted() -> None:
    said = problem(security_protocol="SASL_PLAINTEXT", **SASL)
    assert "ASSAY_KAFKA_SASL_WITHOUT_TLS=true" in said
    found = settings(security_protocol="SASL_PLAINTEXT", sasl_without_tls=True, **SASL).connection
    assert (found["security_protocol"], found["ssl_context"]) == ("SASL_PLAINTEXT", None)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({**SASL}, "ASSAY_KAFKA_SASL_USERNAME"),
        ({"security_protocol": "SSL", **SASL}, "ASSAY_KAFKA_SASL_USERNAME"),
        ({"security_protocol": "SASL_SSL"}, "ASSAY_KAFKA_SASL_USERNAME"),
        (
            {"security_protocol": "SASL_SSL", "sasl_username": "agent"},
            "ASSAY_KAFKA_SASL_PASSWORD",
        ),
        ({"ssl_cafile": "/ca.pem"}, "ASSAY_KAFKA_SSL_CAFILE"),
        ({"security_protocol": "SSL", "ssl_cafile": "/no/ca.pem"}, "ASSAY_KAFKA_SSL_CAFILE"),
        ({"security_protocol": "SSL", "ssl_keyfile": "/no/key.pem"}, "ASSAY_KAFKA_SSL_KEYFILE"),
    ],
)
def test_what_does_not_fit_together_is_named(given: Any, named: str) -> None:
    assert named in problem(**given)


def test_files_that_are_no_certificates_are_named(authority: Authority, tmp_path: Path) -> None:
    other = tmp_path / "text"
    other.write_text("nothing")
    assert "ASSAY_KAFKA_SSL_CAFILE holds" in problem(security_protocol="SSL", ssl_cafile=other)
    cert, _ = authority.issue("one")
    _, key = authority.issue("two")
    said = problem(security_protocol="SSL", ssl_certfile=cert, ssl_keyfile=key)
    assert "ASSAY_KAFKA_SSL_CERTFILE" in said
    assert "ASSAY_KAFKA_SSL_KEYFILE" in said


def test_a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked_for_it(
    authority: Authority,
) -> None:
    cert, key = authority.issue("locked")
    plain = load_pem_private_key(key.read_bytes(), None)
    locked = BestAvailableEncryption(PASSWORD.encode())
    key.write_bytes(plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    said = problem(security_protocol="SSL", ssl_certfile=cert, ssl_keyfile=key)
    assert "needs a pass phrase" in said


def test_refusals_name_the_setting_and_errors_that_are_none_do_not() -> None:
    assert "ASSAY_KAFKA_SASL_PASSWORD" in str(refusal(AuthenticationFailedError()))
    assert "topic ai.x" in str(refusal(TopicAuthorizationFailedError("ai.x")))
    assert "group ingest" in str(refusal(GroupAuthorizationFailedError("ingest")))
    assert refusal(ConnectionResetError()) is None


CLIENTS = {"AIOKafkaProducer", "AIOKafkaConsumer", "AIOKafkaAdminClient"}


def test_every_client_is_made_with_all_that_lets_it_in() -> None:
    """Servers alone would be plaintext, whatever the settings say."""
    found = 0
    for room in ("shared", "services", "deploy"):
        for path in (Path(__file__).parents[3] / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CLIENTS:
                    found += 1
                    assert any(one.arg is None for one in node.keywords), path
                    assert all(one.arg != "bootstrap_servers" for one in node.keywords), path
    assert found >= 8
