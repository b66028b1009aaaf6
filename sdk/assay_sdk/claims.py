"""Whose a folder is: the process that holds its lock, which ends with it, however it ends."""

import contextlib
import os
import secrets
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import NamedTuple

LOCK = "lock"


class Claim(NamedTuple):
    """A folder, and the lock that says it is ours."""

    folder: Path
    lock: FileIO
    """Not a bare number, which whoever opens a file next may be given once it is closed."""

    def forget(self) -> None:
        """Let it go. A child process closes what it shares with its parent, but unlocks nothing."""
        with contextlib.suppress(OSError):
            self.lock.close()


def claimed(folder: Path) -> list[Claim]:
    """A new folder in `folder`, and all there that nobody holds; `OSError` if there can be none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Locked before others can see it: they would take it for one that was left.
    own = folder / f".{os.getpid()}-{secrets.token_hex(6)}"
    own.mkdir(mode=0o700)
    lock = _locked(own)
    if lock is None:
        raise OSError(f"{own} cannot be locked")
    own = own.rename(folder / own.name[1:])
    claims = [Claim(own, lock)]
    for other in sorted(folder.iterdir()):
        if other != own and other.is_dir() and not other.name.startswith("."):
            with contextlib.suppress(OSError):  # just removed by who held it
                found = _locked(other)
                if found is not None:
                    claims.append(Claim(other, found))
    return claims


def swept(claims: Sequence[Claim]) -> list[Claim]:
    """Remove folders that others left and in which nothing is left; answers what stays claimed."""
    own, *others = claims
    return [own, *(claim for claim in others if not _is_gone(claim))]


def released(claims: Sequence[Claim]) -> None:
    """Nobody here holds them any more; folders in which nothing is left are removed."""
    for claim in claims:
        if not _is_gone(claim):
            claim.forget()


def _is_gone(claim: Claim) -> bool:
    try:
        if list(claim.folder.iterdir()) != [claim.folder / LOCK]:
            return False
        (claim.folder / LOCK).unlink()
        claim.folder.rmdir()
    except OSError:
        return False
    claim.forget()
    return True


def _locked(folder: Path) -> FileIO | None:
    """Hold a folder's lock; `None` while somebody else does."""
    import fcntl  # noqa: PLC0415 - not on every system, and only who keeps events needs it

    lock = FileIO(os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock
