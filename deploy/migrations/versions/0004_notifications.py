"""Channels, silences, and what was told to whom."""

from deploy.migrations.files import run_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Forward only."""
    run_file("0004_notifications.sql")
