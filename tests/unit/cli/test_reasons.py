"""What errors of servers and files mean to a person."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisAwayError

from deploy.cli.reasons import reason_of

THEN = "check ASSAY_X"


@pytest.mark.parametrize(
    ("error", "why", "then"),
    [
        (asyncpg.InvalidPasswordError("no"), "ASSAY_POSTGRES_DSN", "mend what is named"),
        (asyncpg.UndefinedTableError("dead_letters"), "dead_letters", "assay migrate"),
        (asyncpg.InsufficientPrivilegeError("denied"), "denied", "of the owner"),
        (asyncpg.TooManyConnectionsError("many"), "many", f"{THEN}; `assay doctor`"),
        (AuthenticationError("WRONGPASS"), "ASSAY_REDIS_URL", "mend what is named"),
        (RedisAwayError("refused"), "refused", f"{THEN}; `assay doctor`"),
        (KafkaConnectionError("nobody"), "nobody", f"{THEN}; `assay doctor`"),
        (TopicAuthorizationFailedError("t"), "lacks a right on topic t", "mend what is named"),
        (ConnectionRefusedError(111, "refused"), "refused", f"{THEN}; `assay doctor`"),
        (FileNotFoundError(2, "No such file", "a.txt"), "a.txt: No such file", THEN),
        (PermissionError(13, "Permission denied", "b"), "b: Permission denied", THEN),
        (ValueError(), "ValueError()", THEN),
    ],
)
def test_an_error_is_told_with_what_to_do(error: Exception, why: str, then: str) -> None:
    said, next_step = reason_of(error, THEN)
    assert why in said
    assert then in next_step
