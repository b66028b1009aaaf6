"""Limits of health, and the history of statuses."""

from deploy.migrations.files import run_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Forward only."""
    run_file("0005_health.sql")
