"""Operations are spread over makers of rows, for ever in the same way."""

from collections import Counter
from hashlib import sha256

from shared.training.shards import SHARDS, shard_of


def test_it_is_the_hash_that_the_design_names() -> None:
    digest = sha256(b"acme\x1fop-1").digest()
    assert shard_of("acme", "op-1") == int.from_bytes(digest[:8], "big") % 16
    assert [shard_of("acme", f"op-{number}") for number in range(6)] == [5, 8, 6, 4, 15, 3]


def test_operations_are_spread_evenly() -> None:
    found = Counter(shard_of("acme", f"op-{number}") for number in range(16_000))
    assert found.keys() == set(range(SHARDS))
    assert all(abs(count - 1_000) < 5 * 1_000**0.5 for count in found.values())


def test_tenants_are_spread_apart() -> None:
    assert any(shard_of("acme", f"op-{n}") != shard_of("globex", f"op-{n}") for n in range(9))
