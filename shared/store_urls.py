"""What is wrong with the URLs of Postgres and Redis: TLS that is half asked for is no TLS."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

# By asyncpg's reading, which is libpq's: below these nobody's certificate is looked at.
CHECKING = ("require", "verify-ca", "verify-full")
POSTGRES_FILES = ("sslrootcert", "sslcrl", "sslcert", "sslkey")
POSTGRES_SCHEMES = ("postgresql", "postgres")
REDIS_SCHEMES = ("redis", "rediss", "unix")
REDIS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


class StoreUrlError(ValueError):
    """Says what does not fit, without the URL."""


def check_postgres(dsn: str) -> None:
    """Raise `StoreUrlError` where it is none, or names an authority that nobody would ask."""
    _check_scheme(dsn, POSTGRES_SCHEMES)
    options = _options(dsn)
    mode = options.get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"
    for name in ("sslrootcert", "sslcrl"):
        if name in options and mode not in CHECKING:
            raise StoreUrlError(
                f"{name} is not looked at by sslmode={mode}; write sslmode=verify-full"
            )
    _check_files(options, POSTGRES_FILES)


def check_redis(url: str) -> None:
    """Raise `StoreUrlError` where it is none, describes TLS and speaks none, or lacks a file."""
    _check_scheme(url, REDIS_SCHEMES)
    options = _options(url)
    described = next((name for name in options if name.startswith("ssl_")), None)
    if described and urlsplit(url).scheme != "rediss":
        raise StoreUrlError(f"{described} is of TLS, which only rediss:// speaks")
    _check_files(options, REDIS_FILES)


def _check_scheme(url: str, schemes: tuple[str, ...]) -> None:
    if url and urlsplit(url).scheme not in schemes:
        raise StoreUrlError(f"it does not begin with {' or '.join(f'{one}://' for one in schemes)}")


def _options(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def _check_files(options: dict[str, str], names: tuple[str, ...]) -> None:
    for name in names:
        if name in options:
            try:
                Path(options[name]).read_bytes()
            except OSError as error:
                raise StoreUrlError(f"{name} cannot be read: {error.strerror}") from error
