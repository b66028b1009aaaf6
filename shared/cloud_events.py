"""Headers of our own records: CloudEvents 1.0 in binary mode, and the proof of their tenant."""

from datetime import datetime

from shared.proof import Proofs
from shared.topics import TopicSpec


def cloud_event(
    spec: TopicSpec, tenant_id: str, service: str, event_id: str, key: bytes, at: datetime
) -> list[tuple[str, bytes]]:
    """What a record says of itself: `service` made it for a tenant; `key` is also the record's."""
    said = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": f"/tenants/{tenant_id}/{service}",
        "ce_type": spec.ce_type,
        "ce_time": at.isoformat(),
        "content-type": "application/json",
    }
    headers = [(name, value.encode()) for name, value in said.items()]
    return [*headers, ("ce_subject", key), ("ce_partitionkey", key)]


def proven(
    signer: Proofs | None, topic: str, tenant_id: str, value: bytes
) -> list[tuple[str, bytes]]:
    """The proof of the tenant, where there is a key to sign with."""
    return [] if signer is None else [signer.header(topic, tenant_id, value)]
