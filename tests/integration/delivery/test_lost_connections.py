"""A connection that is reset while somebody writes to it is a broken connection, on uvloop too."""

import asyncio
import contextlib
import socket
import struct
from typing import Any

import pytest
import uvloop
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import ApiVersionRequest

from shared.safe_connections import install_safe_connections

CONNECTIONS = 40
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: close() sends RST

pytestmark = pytest.mark.integration


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)


async def _reset_soon(
    kafka: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Pass on what is said for a moment, then reset the client's connection."""
    to_kafka = await asyncio.open_connection(*kafka)
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(0.02):
            await asyncio.gather(_carry(reader, to_kafka[1]), _carry(to_kafka[0], writer))
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    for one in (writer, to_kafka[1]):
        one.transport.abort()


async def _write_until_it_breaks(connection: Any) -> list[Exception]:
    """Write in every turn of the loop: one is between the reset and its being noticed."""
    answers = []
    try:
        while True:
            answers.append(asyncio.ensure_future(connection.send(ApiVersionRequest())))
            await asyncio.sleep(0)
    except Exception as error:
        found = await asyncio.gather(*answers, return_exceptions=True)
        return [error, *(one for one in found if isinstance(one, Exception))]


async def what_breaks(bootstrap: str) -> set[str]:
    """Kinds of errors that writers see on connections that are reset; without `KafkaError`s."""
    host, _, port = bootstrap.rpartition(":")
    server = await asyncio.start_server(
        lambda reader, writer: _reset_soon((host, int(port)), reader, writer), "127.0.0.1", 0
    )
    seen: list[Exception] = []
    for _ in range(CONNECTIONS):
        with contextlib.suppress(KafkaError):  # reset before it was made
            connection = await create_conn("127.0.0.1", server.sockets[0].getsockname()[1])
            seen += await _write_until_it_breaks(connection)
    assert seen
    return {repr(error) for error in seen if not isinstance(error, KafkaError)}


def test_a_reset_is_always_a_kafka_error(kafka_bootstrap: str) -> None:
    install_safe_connections()
    assert uvloop.run(what_breaks(kafka_bootstrap)) == set()
