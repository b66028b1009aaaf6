"""What a refusal of Postgres or Redis means, in a sentence that names the setting to look at."""

import ssl

import asyncpg
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisClusterException,
    RedisError,
)

from shared.tls import is_for_others

POSTGRES_LOGIN = (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)
REDIS_LOGIN = (AuthenticationError, AuthorizationError)


def store_refusal(error: BaseException) -> str | None:
    """What it means, if a store is there and refuses us, or we refuse it."""
    if isinstance(error, (RedisError, RedisClusterException)):
        return _of_redis(error)
    return _of_postgres(error)


def _of_postgres(error: BaseException) -> str | None:
    if isinstance(error, POSTGRES_LOGIN):
        return f"Postgres refuses the user and password of ASSAY_POSTGRES_DSN: {error}"
    if isinstance(error, asyncpg.ClientConfigurationError):
        return f"ASSAY_POSTGRES_DSN cannot be used: {error}"
    if isinstance(error, ssl.SSLCertVerificationError):
        if is_for_others(error):
            return f"Postgres' certificate is not for the host of ASSAY_POSTGRES_DSN: {error}"
        who = "sslrootcert of ASSAY_POSTGRES_DSN (or ~/.postgresql/root.crt)"
        return f"{who} does not vouch for Postgres' certificate: {error.verify_message}"
    if isinstance(error, ConnectionError) and "rejected SSL" in str(error):
        return "sslmode of ASSAY_POSTGRES_DSN wants TLS, which Postgres does not speak"
    return None


def _of_redis(error: RedisError | RedisClusterException) -> str | None:
    text = str(error)
    if isinstance(error, NoPermissionError):
        return f"the user of ASSAY_REDIS_URL lacks a right: {text}"
    if isinstance(error, REDIS_LOGIN) or "NOAUTH" in text:
        return "Redis refuses the user and password of ASSAY_REDIS_URL, or wants them"
    if "CERTIFICATE_VERIFY_FAILED" in text and "mismatch" in text:
        return "Redis' certificate is not for the host of ASSAY_REDIS_URL"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        who = "ssl_ca_certs of ASSAY_REDIS_URL (or the system's authorities)"
        return f"{who} does not vouch for Redis' certificate, or it has expired"
    if "WRONG_VERSION_NUMBER" in text or "record layer failure" in text:
        return "ASSAY_REDIS_URL is rediss://, and Redis speaks no TLS at that port"
    return None
