"""Secrets of an installation, one in a file: for compose, and for `kubectl create secret`."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.engine import URL, make_url

from deploy.jobs.redis_acls import USERS, acl_file
from deploy.jobs.roles import ROLE_OF

# The folder is closed to others, its files are not: a container's user has another number than
# whoever made them, and Docker hands in the file, not the folder.
FOLDER_MODE, FILE_MODE = 0o700, 0o444
BYTES = 32


class Places(NamedTuple):
    """Where the servers will be, as services see them."""

    postgres: str
    """host:port/database, with ?sslmode=… for TLS."""
    owner: str
    """Who owns the database: migrations and jobs log in as it."""
    redis: str
    """host:port/number, with ?ssl_ca_certs=… for TLS."""
    redis_tls: bool


def make_secrets(folder: Path, places: Places) -> list[str]:
    """Make what is missing, leave what is there; answers the names of the new ones."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder.chmod(FOLDER_MODE)
    made: list[str] = []

    def keep(name: str, content: Callable[[], str]) -> str:
        path = folder / name
        if not path.exists():
            _write(path, content())
            made.append(name)
        return path.read_text().strip()

    for name in ("secret-key", "grafana-password"):
        keep(name, _random)
    for name in ("audit-key", "event-master-key"):
        keep(name, lambda: f"1:{_random()}")
    owner = keep("postgres-password", _random)
    keep("postgres-dsn-owner", lambda: _dsn(places, places.owner, owner))
    for service, role in ROLE_OF.items():
        keep(f"postgres-dsn-{service}", lambda role=role: _dsn(places, role, _random()))  # type: ignore[misc]
    urls = {
        user: keep(f"redis-url-{user}", lambda user=user: _redis(places, user))  # type: ignore[misc]
        for user in USERS
    }
    # Follows from the others, so it is never behind them.
    _write(folder / "redis-acl", acl_file({user: _password(url) for user, url in urls.items()}))
    return made


def passwords_in(folder: Path) -> dict[str, str]:
    """The password of each service's role, from the DSN that the service itself will use."""
    found: dict[str, str] = {}
    for service, role in ROLE_OF.items():
        path = folder / f"postgres-dsn-{service}"
        url = make_url(path.read_text().strip())
        if url.username != role or not url.password:
            raise ValueError(f"{path} names no password of {role}")
        found[service] = url.password
    return found


def _random() -> str:
    # Letters and digits only: these stand in URLs.
    return secrets.token_hex(BYTES)


def _dsn(places: Places, role: str, password: str) -> str:
    return f"postgresql://{role}:{password}@{places.postgres}"


def _redis(places: Places, user: str) -> str:
    scheme = "rediss" if places.redis_tls else "redis"
    return f"{scheme}://{user}:{_random()}@{places.redis}"


def _password(url: str) -> str:
    parsed: URL = make_url(url)
    if not parsed.password:
        raise ValueError("a redis-url-… names no password, so redis-acl cannot be made of it")
    return parsed.password


def _write(path: Path, content: str) -> None:
    """Whole or not at all: a half secret would be kept for ever."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(content.rstrip("\n") + "\n")
    temporary.chmod(FILE_MODE)
    temporary.replace(path)
