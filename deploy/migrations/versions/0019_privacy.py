"""Erasure and anonymisation: marks, receipts, and what is counted of rows that are gone."""

from deploy.migrations.files import run_file

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Forward only."""
    run_file("0019_privacy.sql")
