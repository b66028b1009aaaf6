"""Queues of operations that people review."""

from deploy.migrations.files import run_file

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Forward only."""
    run_file("0015_reviews.sql")
