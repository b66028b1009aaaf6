"""How to reach Kafka: the one place where clients are told of TLS, names and passwords."""

import ssl
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from shared.env_settings import EnvSettings

Connection = Mapping[str, Any]
"""What every client of aiokafka is made with: servers, and how to be let in."""

FILES = {
    "kafka_ssl_cafile": "ASSAY_KAFKA_SSL_CAFILE",
    "kafka_ssl_certfile": "ASSAY_KAFKA_SSL_CERTFILE",
    "kafka_ssl_keyfile": "ASSAY_KAFKA_SSL_KEYFILE",
}


def plain(bootstrap_servers: str) -> Connection:
    """Servers that let everybody in, without TLS."""
    return {"bootstrap_servers": bootstrap_servers}


class KafkaSettings(EnvSettings):
    """Where Kafka is, what it can do, and how it lets us in."""

    kafka_bootstrap_servers: str = Field(description="host:port, several separated by commas.")
    kafka_idempotence: bool = Field(
        True, description="Off only for brokers without idempotent producers."
    )
    kafka_exact_ends: bool = Field(
        True, description="Off only for brokers whose log ends lag behind their records."
    )
    kafka_durable: bool = Field(
        True,
        description="Off only for brokers that forget: ingest then waits for Postgres' disk.",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_sasl_without_tls: bool = Field(
        False, description="Allows SASL_PLAINTEXT: whoever listens on the way reads or replays it."
    )
    kafka_ssl_cafile: Path | None = Field(
        None, description="Who vouches for the brokers; else the system's authorities."
    )
    kafka_ssl_certfile: Path | None = Field(None, description="Our own certificate (mTLS).")
    kafka_ssl_keyfile: Path | None = Field(None, description="Its key, if it is not in there.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problem = self._sasl_problem() or self._tls_problem()
        if problem:
            raise ValueError(problem)
        return self

    @cached_property
    def connection(self) -> Connection:
        """What a client of aiokafka is made with."""
        found: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap_servers.split(","),
            "security_protocol": self.kafka_security_protocol,
            "ssl_context": self._tls if self._has_tls else None,
        }
        if self._has_sasl and self.kafka_sasl_password is not None:
            found |= {
                "sasl_mechanism": self.kafka_sasl_mechanism,
                "sasl_plain_username": self.kafka_sasl_username,
                "sasl_plain_password": self.kafka_sasl_password.get_secret_value(),
            }
        return found

    @property
    def _has_sasl(self) -> bool:
        return self.kafka_security_protocol.startswith("SASL_")

    @property
    def _has_tls(self) -> bool:
        return self.kafka_security_protocol.endswith("SSL")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.kafka_ssl_cafile)
        if self.kafka_ssl_certfile is not None:
            # Without an answer OpenSSL would ask at the terminal, and nobody sits there.
            context.load_cert_chain(self.kafka_ssl_certfile, self.kafka_ssl_keyfile, password="")
        return context

    def _sasl_problem(self) -> str | None:
        protocol = f"ASSAY_KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol}"
        if not self._has_sasl:
            if self.kafka_sasl_username is None and self.kafka_sasl_password is None:
                return None
            return f"{protocol}, which sends no ASSAY_KAFKA_SASL_USERNAME; it must be SASL_SSL"
        if not self.kafka_sasl_username:
            return f"{protocol}, which needs ASSAY_KAFKA_SASL_USERNAME"
        if self.kafka_sasl_password is None or not self.kafka_sasl_password.get_secret_value():
            return f"{protocol}, which needs ASSAY_KAFKA_SASL_PASSWORD or …_PASSWORD_FILE"
        if not (self._has_tls or self.kafka_sasl_without_tls):
            return (
                f"{protocol}, by which anybody on the way can listen; use SASL_SSL, or allow it by "
                "ASSAY_KAFKA_SASL_WITHOUT_TLS=true"
            )
        return None

    def _tls_problem(self) -> str | None:
        given = [name for name in FILES if getattr(self, name) is not None]
        if not self._has_tls:
            protocol = f"ASSAY_KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol}"
            return f"{protocol}, which uses no {FILES[given[0]]}" if given else None
        if self.kafka_ssl_keyfile is not None and self.kafka_ssl_certfile is None:
            return "ASSAY_KAFKA_SSL_KEYFILE is set, which needs ASSAY_KAFKA_SSL_CERTFILE"
        for name in given:
            try:
                getattr(self, name).read_bytes()
            except OSError as error:
                return f"{FILES[name]} cannot be read: {error.strerror}"
        return self._unusable()

    def _unusable(self) -> str | None:
        try:
            ssl.create_default_context(cafile=self.kafka_ssl_cafile)
        except (ssl.SSLError, OSError) as error:
            return f"ASSAY_KAFKA_SSL_CAFILE holds no certificate: {error}"
        try:
            _ = self._tls
        except (ssl.SSLError, OSError) as error:
            return (
                "ASSAY_KAFKA_SSL_CERTFILE and ASSAY_KAFKA_SSL_KEYFILE are no certificate with its "
                f"key, or the key needs a pass phrase: {error}"
            )
        return None
