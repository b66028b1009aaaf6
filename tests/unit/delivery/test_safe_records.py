"""A header key that is no UTF-8 must not hide a batch."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from shared.safe_records import SafeMemoryRecords

KEY = "abcdefgh"


def fetched(*, spoil: bool) -> bytes:
    """A fetched batch of three records; spoiled, the second one's header key is no UTF-8."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    for offset in range(3):
        builder.append(
            offset, 1_700_000_000_000, b"key", b"value", [(KEY if offset == 1 else "fine", b"x")]
        )
    content = bytes(builder.build())
    return content.replace(KEY.encode(), b"\xff\xfeabcdef") if spoil else content


def test_plain_aiokafka_cannot_read_the_spoiled_batch() -> None:
    with pytest.raises(UnicodeDecodeError):
        list(MemoryRecords(fetched(spoil=True)).next_batch())


def test_the_guard_reads_every_record_of_a_spoiled_batch() -> None:
    records = SafeMemoryRecords(fetched(spoil=True))
    batch = records.next_batch()
    headers = [record.headers for record in batch]
    assert headers == [[("fine", b"x")], [("\ufffd\ufffdabcdef", b"x")], [("fine", b"x")]]
    assert not records.has_next()


def test_the_guard_changes_nothing_about_a_good_batch() -> None:
    content = fetched(spoil=False)
    plain = list(MemoryRecords(content).next_batch())
    guarded = SafeMemoryRecords(content).next_batch()
    assert guarded.validate_crc()
    assert (guarded.base_offset, guarded.next_offset) == (0, 3)
    as_tuples = [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in guarded]
    assert as_tuples == [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in plain]
