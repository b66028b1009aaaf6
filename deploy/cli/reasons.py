"""What an error of a server or a file means, and what is better to do than what a command says."""

import asyncpg
from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from shared.kafka_errors import refusal
from shared.store_errors import store_refusal

DOCTOR = "`assay doctor` says what is wrong, and with which server"
MIGRATE = "run `assay migrate`; if it has run, ASSAY_POSTGRES_DSN names another database"
OWNER = "give ASSAY_POSTGRES_DSN of the owner; services' roles may do only what their service does"
SERVERS = (asyncpg.PostgresError, KafkaError, RedisError, ConnectionError, TimeoutError)


def reason_of(error: Exception, then: str) -> tuple[str, str]:
    """Why, in a sentence, and what to do: what the command says, or what the error itself tells."""
    said = store_refusal(error) or refusal(error)
    if said:
        return said, "mend what is named; `assay doctor` tries again and says more"
    text = str(error) or repr(error)
    if isinstance(error, (asyncpg.UndefinedTableError, asyncpg.UndefinedFunctionError)):
        return f"the database lacks what this version needs: {text}", MIGRATE
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return text, OWNER
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}", then
    return text, f"{then}; {DOCTOR}" if isinstance(error, SERVERS) else then
