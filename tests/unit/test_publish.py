"""Lines of a file as records: signed for the tenant that they name, and sent as they are."""

import json

import pytest

from deploy.cli.publish import record_of
from shared.codec import parse
from shared.events.operation import OperationEvent
from shared.proof import Proofs
from tests.support.events import encoded, operation

PROOFS, TOPIC = Proofs({"1": b"a" * 32}), "ai.operations.v1"


def test_a_line_is_signed_for_the_tenant_that_it_names() -> None:
    value = json.dumps({"operation_id": "op-1", "tenant_id": "acme"}).encode()
    key, headers = record_of(TOPIC, value, PROOFS)
    assert key == b"op-1"
    PROOFS.check(TOPIC, "acme", value, headers)


def test_of_two_tenants_in_one_line_it_is_the_one_that_the_codec_reads() -> None:
    value = encoded(operation(1, tenant_id="globex"))
    value = b'{"tenant_id": "acme", ' + value[1:]
    read = parse(OperationEvent, value).tenant_id
    _, headers = record_of(TOPIC, value, PROOFS)
    PROOFS.check(TOPIC, read, value, headers)


def test_without_a_master_key_nothing_is_signed() -> None:
    assert record_of(TOPIC, b'{"tenant_id": "acme"}', None) == (None, [])


@pytest.mark.parametrize(
    "value", [b"", b"{", b"[1]", b'"tenant_id"', b"1", b"null", b'{"tenant_id": 1}', b"\xff"]
)
def test_what_names_no_tenant_is_sent_unsigned(value: bytes) -> None:
    assert record_of(TOPIC, value, PROOFS) == (None, [])
