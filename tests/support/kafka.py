"""Which Kafka the tests stand on: named by the environment, in Docker, or from its own jars."""

import os
import shutil
import subprocess

import pytest

from deploy.local.kafka_jars import VERSION
from tests.support.amounts import amount

IMAGE = f"apache/kafka:{VERSION}"


def docker_answers() -> bool:
    """Whether a Docker engine is there, not only its client."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def need_own_kafka() -> None:
    """Skip a test that starts and stops brokers where it cannot; where that was meant, fail."""
    if shutil.which("java") and shutil.which("mvn"):
        return
    without = "starts and stops its own Kafka, which needs a JDK and Maven"
    if os.environ.get("CI") or amount():
        pytest.fail(without)
    pytest.skip(without)


def rung() -> str | None:
    """Which Kafka the tests will use; `None` when there is none."""
    if os.environ.get("ASSAY_TEST_KAFKA"):
        return f"named by ASSAY_TEST_KAFKA ({os.environ['ASSAY_TEST_KAFKA']})"
    if docker_answers():
        return f"Apache Kafka {VERSION} (Docker, {IMAGE})"
    if shutil.which("java") and shutil.which("mvn"):
        return f"Apache Kafka {VERSION} (jars by Maven, KRaft)"
    return None
