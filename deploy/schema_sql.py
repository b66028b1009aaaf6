"""`deploy/schema.sql`: what all migrations amount to, for people to read; `--check` compares it."""

import asyncio
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.postgres import embedded_binaries, start_postgres
from deploy.migrations import migrate

TARGET = Path(__file__).with_name("schema.sql")
HEADER = "-- What the migrations amount to. Made by `python -m deploy.schema_sql`; do not edit.\n\n"
# Lines of pg_dump that differ from run to run, set up its own session, or say nothing.
NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|SET .*;|SELECT pg_catalog\.set_config.*)$")


def dumped() -> str:
    """The schema of a new database after all migrations, as pg_dump writes it."""
    with _server() as dsn:
        asyncio.run(migrate(dsn))
        done = subprocess.run(
            [embedded_binaries() / "pg_dump", "--schema-only", dsn],
            check=True,
            capture_output=True,
            text=True,
        )
    lines = (line for line in done.stdout.splitlines() if not NOISE.match(line))
    return HEADER + re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


@contextmanager
def _server() -> Iterator[str]:
    """The embedded server on a folder of its own: the same version on every machine."""
    with TemporaryDirectory(prefix="assay-schema-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root, the server runs as somebody else
        child, dsn, _ = asyncio.run(
            start_postgres(folder, 0, secrets.token_hex(8), embedded_binaries())
        )
        try:
            yield dsn
        finally:
            child.stop(signal.SIGINT)


def main() -> None:
    """Write the file, or with --check compare it."""
    content = dumped()
    if "--check" not in sys.argv:
        TARGET.write_text(content)
    elif not TARGET.exists() or TARGET.read_text() != content:
        sys.exit("deploy/schema.sql: not what the migrations say; run python -m deploy.schema_sql")


if __name__ == "__main__":
    main()
