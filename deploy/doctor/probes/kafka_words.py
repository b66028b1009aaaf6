"""Metadata of Kafka with what our principal may do, which aiokafka does not ask for."""

from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5, MetadataResponse_v5
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

METADATA = 3
# Operations by their number in the protocol; what a broker does not tell is the least number.
OPERATIONS = {3: "Read", 4: "Write", 5: "Create", 7: "Alter", 8: "Describe", 10: "DescribeConfigs"}
UNTOLD = -(2**31)
_OLD = MetadataResponse_v5.SCHEMA
BEFORE_TOPICS = list(zip(_OLD.names, _OLD.fields, strict=True))[:-1]


class RightsResponse(Response):  # type: ignore[misc]
    """Metadata 8: topics with the operations that are allowed on them."""

    API_KEY = METADATA
    API_VERSION = 8
    SCHEMA = Schema(
        *BEFORE_TOPICS,
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class RightsStruct(RequestStruct):  # type: ignore[misc]
    """Metadata 8 as it is asked for."""

    API_KEY = METADATA
    API_VERSION = 8
    RESPONSE_TYPE = RightsResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class DescribeRequest(Request[MetadataRequest_v5 | RightsStruct]):  # type: ignore[misc]
    """Describe topics, and make none that is missing."""

    API_KEY = METADATA

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: Any) -> Any:
        """With the rights on topics, where the broker tells them; without those on the cluster."""
        more = (False, True) if request_struct_class is RightsStruct else ()
        return request_struct_class(self._topics, False, *more)


def allowed(operations: Any) -> frozenset[str] | None:
    """The names of a bit field; `None` where the broker does not tell."""
    if operations == UNTOLD:
        return None
    return frozenset(name for bit, name in OPERATIONS.items() if operations >> bit & 1)
