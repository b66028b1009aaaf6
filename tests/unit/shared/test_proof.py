"""Who a record belongs to is proven by a key, or it is nobody's."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay_sdk.proof import ProofKey
from shared.codec import Record, decode, microseconds
from shared.errors import InvalidRecordError, Reason
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.proof import HEADER, MasterKeyError, Proofs, master_keys
from tests.support import records
from tests.support.events import encoded, operation
from tests.unit.shared.test_codec import NOW

OLD, NEW = b"the old secret of thirty-two bytes", b"the new secret of thirty-two bytes"
PROOFS = Proofs({"2": NEW, "1": OLD})
TOPIC = "ai.operations.v1"
TENANTS = st.from_regex(r"\A[a-z0-9_-]{1,64}\Z")
VALUES = st.binary(max_size=300)


def is_proven(topic: str, tenant: str, value: bytes, *headers: tuple[str, bytes | None]) -> bool:
    try:
        PROOFS.check(topic, tenant, value, headers)
    except InvalidRecordError as error:
        return error.reason is not Reason.TENANT_MISMATCH
    return True


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return bytes(changed)


def test_the_proof_is_the_documented_one() -> None:
    """Written out once more, for whoever signs in another language."""

    def mac(key: bytes, content: bytes) -> bytes:
        return hmac.new(key, content, sha256).digest()

    tenant_key = mac(NEW, b"acme\x002")
    topic_key = mac(tenant_key, b"ai.operations.v1")
    proof = urlsafe_b64encode(mac(topic_key, b"acme\0{}")).rstrip(b"=")
    assert PROOFS.header(TOPIC, "acme", b"{}") == (HEADER, b"v1.2." + proof)


@given(TENANTS, VALUES)
def test_what_was_signed_is_proven(tenant: str, value: bytes) -> None:
    assert is_proven(TOPIC, tenant, value, PROOFS.header(TOPIC, tenant, value))


@given(TENANTS, VALUES.filter(len), st.integers(0, 10_000))
def test_any_bit_of_the_value_is_covered(tenant: str, value: bytes, bit: int) -> None:
    assert not is_proven(TOPIC, tenant, flipped(value, bit), PROOFS.header(TOPIC, tenant, value))


@given(TENANTS, VALUES, st.integers(0, 10_000))
def test_any_bit_of_the_tenant_is_covered(tenant: str, value: bytes, bit: int) -> None:
    other = flipped(tenant.encode(), bit).decode("latin-1")
    assert not is_proven(TOPIC, other, value, PROOFS.header(TOPIC, tenant, value))


@given(VALUES, st.integers(0, 10_000))
def test_any_bit_of_the_topic_is_covered(value: bytes, bit: int) -> None:
    other = flipped(TOPIC.encode(), bit).decode("latin-1")
    assert not is_proven(other, "acme", value, PROOFS.header(TOPIC, "acme", value))


@given(VALUES, st.integers(0, 10_000))
def test_any_bit_of_the_header_is_covered(value: bytes, bit: int) -> None:
    """Its form, the key's version and the signature itself."""
    name, proof = PROOFS.header(TOPIC, "acme", value)
    changed = flipped(proof, bit)
    assert changed != proof
    assert not is_proven(TOPIC, "acme", value, (name, changed))


@given(st.sampled_from([OLD, NEW]), st.integers(0, 10_000))
def test_any_bit_of_the_master_key_is_covered(secret: bytes, bit: int) -> None:
    forged = Proofs({"2": flipped(secret, bit)}).header(TOPIC, "acme", b"{}")
    assert not is_proven(TOPIC, "acme", b"{}", forged)


@given(TENANTS, st.integers(0, 10_000))
def test_any_bit_of_a_tenants_key_is_covered(tenant: str, bit: int) -> None:
    ours, other = (ProofKey(PROOFS.tenant_key(tenant)) for _ in range(2))
    assert is_proven(TOPIC, tenant, b"{}", ours.header(TOPIC, tenant, b"{}"))
    other.key = flipped(other.key, bit)
    assert not is_proven(TOPIC, tenant, b"{}", other.header(TOPIC, tenant, b"{}"))


def test_a_tenants_key_signs_for_no_other() -> None:
    key = ProofKey(PROOFS.tenant_key("acme"))
    assert is_proven(TOPIC, "acme", b"{}", key.header(TOPIC, "acme", b"{}"))
    assert not is_proven(TOPIC, "globex", b"{}", key.header(TOPIC, "globex", b"{}"))


def test_where_the_tenant_ends_and_the_value_begins_is_covered() -> None:
    signed = PROOFS.header(TOPIC, "acme", b"x\0y")
    assert not is_proven(TOPIC, "acme\0x", b"y", signed)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="none"),
        pytest.param([(HEADER, None)], id="null"),
        pytest.param([(HEADER, b"")], id="empty"),
        pytest.param([(HEADER, b"v1.2.")], id="no signature"),
        pytest.param([(HEADER, b"v1.9." + b"A" * 43)], id="a version nobody knows"),
        pytest.param([(HEADER, b"\xff\xfe")], id="no text"),
        pytest.param([(HEADER, b"v1.2." + "\u00e9".encode() * 43)], id="no ASCII"),
        pytest.param([PROOFS.header(TOPIC, "acme", b"{}")] * 2, id="twice"),
        pytest.param([(HEADER.upper(), PROOFS.header(TOPIC, "acme", b"{}")[1])], id="other name"),
    ],
)
def test_whatever_else_stands_there_proves_nothing(headers: Any) -> None:
    assert not is_proven(TOPIC, "acme", b"{}", *headers)


def test_a_proof_may_be_padded_or_changed_in_no_way() -> None:
    name, proof = PROOFS.header(TOPIC, "acme", b"{}")
    for other in (
        proof + b"=",
        proof + b"A",
        proof[:-1],
        b" " + proof,
        proof.replace(b"v1", b"v2"),
    ):
        assert not is_proven(TOPIC, "acme", b"{}", (name, other))


def test_two_keys_are_known_while_one_takes_the_others_place() -> None:
    before = Proofs({"1": OLD})
    during = Proofs({"1": OLD, "2": NEW})  # signs with the first, knows both
    after = Proofs({"2": NEW})
    by_old, by_new = (one.header(TOPIC, "acme", b"{}") for one in (before, after))
    assert during.header(TOPIC, "acme", b"{}") == by_old
    during.check(TOPIC, "acme", b"{}", [by_old])
    during.check(TOPIC, "acme", b"{}", [by_new])
    for proofs, other in ((before, by_new), (after, by_old)):
        with pytest.raises(InvalidRecordError):
            proofs.check(TOPIC, "acme", b"{}", [other])


def test_master_keys_are_read_from_one_text() -> None:
    one, two = "a" * 32, "b" * 40
    assert master_keys(one) == {"1": one.encode()}
    found = master_keys(f"2:{two}\n1:{one}\n")
    assert list(found.items()) == [("2", two.encode()), ("1", one.encode())]


@pytest.mark.parametrize(
    "text", ["", "short", "1:short", f"1:{'a' * 32} 1:{'b' * 32}", f"{'a' * 32} {'b' * 32}"]
)
def test_master_keys_that_protect_nothing_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(MasterKeyError) as caught:
        master_keys(text)
    assert "short" not in str(caught.value).replace("shorter", "")
    assert "aaaa" not in str(caught.value)


def record(value: bytes, headers: Any, topic: str = TOPIC) -> Record:
    return records.record(value, headers, topic=topic)


def test_the_codec_takes_what_is_proven_and_nothing_else() -> None:
    value = encoded(operation(1))
    proven = record(value, [PROOFS.header(TOPIC, "acme", value)])
    event, _ = decode(OperationEvent, proven, microseconds(NOW), PROOFS)
    assert event.tenant_id == "acme"
    decode(OperationEvent, record(value, ()), microseconds(NOW), None)
    for bad in (record(value, ()), record(value + b" ", proven.headers)):
        with pytest.raises(InvalidRecordError) as caught:
            decode(OperationEvent, bad, microseconds(NOW), PROOFS)
        assert caught.value.reason is Reason.TENANT_MISMATCH


def test_a_record_replayed_to_another_topic_is_refused_though_it_would_be_an_event_there() -> None:
    value = encoded(operation(1, rating=1))
    stolen = [PROOFS.header(TOPIC, "acme", value)]
    decode(FeedbackEvent, record(value, (), "ai.feedback.v1"), microseconds(NOW), None)
    with pytest.raises(InvalidRecordError) as caught:
        decode(FeedbackEvent, record(value, stolen, "ai.feedback.v1"), microseconds(NOW), PROOFS)
    assert caught.value.reason is Reason.TENANT_MISMATCH
