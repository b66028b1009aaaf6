"""A guard for aiokafka 0.14 on uvloop: a connection that has just been reset must not be fatal.

uvloop refuses a write to a closed transport with `RuntimeError`, where asyncio drops it in silence.
aiokafka expects `OSError` alone (its issue 1038): the stray error ends the task that keeps cluster
metadata, or the one that keeps our place in the group, and the client is deaf and mute for ever
while its process looks healthy. Here it is what it means: a broken connection.
"""

from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError

_send = conn.AIOKafkaConnection.send
_send_token = conn.AIOKafkaConnection._send_sasl_token


def install_safe_connections() -> None:
    """Guard every connection of this process; harmless when repeated."""
    conn.AIOKafkaConnection.send = _guarded(_send)
    conn.AIOKafkaConnection._send_sasl_token = _guarded(_send_token)


def _guarded(send: Any) -> Any:
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return send(self, *args, **kwargs)
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN, exc=error)
            raise KafkaConnectionError(
                f"Connection at {self.host}:{self.port} broken: {error}"
            ) from error

    return guarded
