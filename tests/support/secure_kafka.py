"""An Apache Kafka that lets nobody in without a name, and nobody do what no right allows."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from deploy.jobs.acls import Acl
from deploy.local.kafka_jars import KafkaJars
from shared.kafka_settings import plain
from tests.support.certificates import Authority

PASSWORD = "only-for-tests"
# Names of the protocol, as numbers.
RESOURCES = {"topic": 2, "group": 3}
PATTERNS = {"literal": 3, "prefixed": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Alter": 7, "Describe": 8}
ALLOW = 3
JAAS = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class SecureKafka:
    """Listeners: SASL_SSL with SCRAM, SSL with certificates; plaintext is the test's own key."""

    def __init__(self, folder: Path, authority: Authority, users: Iterable[str]) -> None:
        self.authority = authority
        store = _key_store(folder, authority)
        self._jars = KafkaJars(
            folder / "kafka",
            doors={
                "SASL_SSL": store
                | {
                    "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                    "scram-sha-512.sasl.jaas.config": JAAS,
                },
                "SSL": store | {"ssl.client.auth": "required"},
            },
            settings={
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "allow.everyone.if.no.acl.found": "false",
                "super.users": "User:ANONYMOUS",
                "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            },
            users=dict.fromkeys(users, PASSWORD),
        )
        self._jars.start()
        self.bootstrap = self._jars.bootstrap

    def by_password(self, principal: str, **changes: Any) -> dict[str, Any]:
        """Settings of a program that logs in by SCRAM."""
        return {
            "kafka_bootstrap_servers": f"127.0.0.1:{self._jars.doors['SASL_SSL']}",
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_username": principal,
            "kafka_sasl_password": PASSWORD,
            "kafka_ssl_cafile": self.authority.ca,
            **changes,
        }

    def by_certificate(self, principal: str, **changes: Any) -> dict[str, Any]:
        """Settings of a program that shows a certificate."""
        cert, key = self.authority.issue(principal)
        return {
            "kafka_bootstrap_servers": f"127.0.0.1:{self._jars.doors['SSL']}",
            "kafka_security_protocol": "SSL",
            "kafka_ssl_cafile": self.authority.ca,
            "kafka_ssl_certfile": cert,
            "kafka_ssl_keyfile": key,
            **changes,
        }

    async def grant(self, acls: Iterable[Acl]) -> None:
        """Give rights, as `kafka-acls.sh` would."""
        admin = AIOKafkaAdminClient(**plain(self.bootstrap))
        await admin.start()
        try:
            for one in acls:
                request = CreateAclsRequest(
                    *(RESOURCES[one.resource], one.name, PATTERNS[one.pattern]),
                    *(one.principal, "*", OPERATIONS[one.operation], ALLOW),
                )
                answer = await admin._send_to_controller(request)
                assert [code for code, _ in answer.creation_responses] == [0]
        finally:
            await admin.close()

    def stop(self) -> None:
        """End it."""
        self._jars.stop()


def _key_store(folder: Path, authority: Authority) -> Mapping[str, str]:
    cert, key = authority.issue("broker", "127.0.0.1", "localhost")
    both = folder / "broker.pem"
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.ca),
    }
