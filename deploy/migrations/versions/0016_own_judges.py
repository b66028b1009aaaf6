"""Votes of models on their own answers are marked."""

from deploy.migrations.files import run_file

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Forward only."""
    run_file("0016_own_judges.sql")
