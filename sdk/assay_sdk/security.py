"""How Kafka lets the agent in, by the same variables as Assay's services."""

import os
import ssl
from typing import Any

from assay_sdk.secret import secret

PREFIX = "ASSAY_KAFKA_"
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT")


def security_from_env() -> dict[str, Any]:
    """What aiokafka's producer is given; `ValueError` names a variable that does not fit.

    Nothing goes in the clear that was meant for TLS: a password without it must be allowed.
    """
    protocol = _of("SECURITY_PROTOCOL") or "PLAINTEXT"
    if protocol not in PROTOCOLS:
        raise ValueError(f"{PREFIX}SECURITY_PROTOCOL is none of {', '.join(PROTOCOLS)}")
    found: dict[str, Any] = {"security_protocol": protocol}
    if protocol.endswith("SSL"):
        found["ssl_context"] = _tls()
    elif any(_of(name) for name in ("SSL_CAFILE", "SSL_CERTFILE", "SSL_KEYFILE")):
        raise ValueError(f"{PREFIX}SECURITY_PROTOCOL is {protocol}, which uses no certificates")
    return found | _sasl(protocol)


def _sasl(protocol: str) -> dict[str, Any]:
    username, password = _of("SASL_USERNAME"), secret(f"{PREFIX}SASL_PASSWORD")
    if not protocol.startswith("SASL_"):
        if username or password:
            raise ValueError(f"{PREFIX}SASL_USERNAME is sent by SASL_SSL only, not by {protocol}")
        return {}
    if not (username and password):
        raise ValueError(f"{PREFIX}SASL_USERNAME and {PREFIX}SASL_PASSWORD must be set")
    if protocol == "SASL_PLAINTEXT" and (_of("SASL_WITHOUT_TLS") or "").lower() != "true":
        raise ValueError(f"SASL_PLAINTEXT is allowed by {PREFIX}SASL_WITHOUT_TLS=true only")
    mechanism = _of("SASL_MECHANISM") or MECHANISMS[0]
    if mechanism not in MECHANISMS:
        raise ValueError(f"{PREFIX}SASL_MECHANISM is none of {', '.join(MECHANISMS)}")
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": username,
        "sasl_plain_password": password,
    }


def _tls() -> ssl.SSLContext:
    if _of("SSL_KEYFILE") and not _of("SSL_CERTFILE"):
        raise ValueError(f"{PREFIX}SSL_KEYFILE needs {PREFIX}SSL_CERTFILE")
    try:
        context = ssl.create_default_context(cafile=_of("SSL_CAFILE"))
        certificate = _of("SSL_CERTFILE")
        if certificate:
            # Without an answer OpenSSL would ask for a pass phrase at the agent's terminal.
            context.load_cert_chain(certificate, _of("SSL_KEYFILE"), password="")
    except OSError as error:
        names = f"{PREFIX}SSL_CAFILE, {PREFIX}SSL_CERTFILE or {PREFIX}SSL_KEYFILE"
        raise ValueError(f"{names} cannot be used: {error}") from error
    return context


def _of(name: str) -> str | None:
    return os.environ.get(PREFIX + name) or None
