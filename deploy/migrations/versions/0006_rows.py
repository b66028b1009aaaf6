"""Metrics reads which agent and version an operation was of: for rules that ask for them."""

from deploy.migrations.files import run_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Forward only."""
    run_file("0006_rows.sql")
