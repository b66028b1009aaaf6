"""A server that speaks Redis' protocol as an old one would, as far as the doctor asks it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared.clock import utc_now


@contextmanager
def answering_as(version: str) -> Iterator[int]:
    """Its port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(version)) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _handler(version: str) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while arguments := _command(self.rfile):
                self.wfile.write(_answer(version, arguments))

    return Handler


def _command(stream) -> list[bytes]:  # type: ignore[no-untyped-def]
    head = stream.readline()
    if not head.startswith(b"*"):
        return []
    return [stream.read(int(stream.readline()[1:]) + 2)[:-2] for _ in range(int(head[1:]))]


def _answer(version: str, arguments: list[bytes]) -> bytes:
    match arguments[0].upper():
        case b"INFO":
            info = f"redis_version:{version}\r\nrole:master\r\naof_enabled:1\r\n"
            return f"${len(info)}\r\n{info}\r\n".encode()
        case b"TIME":
            seconds = str(int(utc_now().timestamp())).encode()
            return b"*2\r\n$%d\r\n%s\r\n$1\r\n0\r\n" % (len(seconds), seconds)
        case b"EVALSHA":
            return b":1\r\n"
        case b"PING":
            return b"+PONG\r\n"
        case b"SELECT" | b"AUTH":
            return b"+OK\r\n"
    return b"-ERR unknown command `%s`, with args beginning with: \r\n" % arguments[0]
