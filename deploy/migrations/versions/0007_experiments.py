"""A/B tests, and the steps of their lives."""

from deploy.migrations.files import run_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Forward only."""
    run_file("0007_experiments.sql")
