"""One broker that asks everybody for a name, for the tests of this folder."""

from collections.abc import Iterator

import pytest

from deploy.jobs.acls import PRINCIPALS
from tests.support.certificates import Authority
from tests.support.kafka import need_own_kafka
from tests.support.secure_kafka import SecureKafka


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def secure_kafka(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[SecureKafka]:
    """Its users are the principals of `assay topics acls`, and one without any right."""
    need_own_kafka()
    made = SecureKafka(
        tmp_path_factory.mktemp("secure"), authority, [*PRINCIPALS, "nobody-much", "onlooker"]
    )
    yield made
    made.stop()
