"""Copies of A/B tests have an end, and steps that cannot be told hold up no others."""

from deploy.migrations.files import run_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Forward only."""
    run_file("0011_ab_upkeep.sql")
