"""What A/B tests say now."""

from deploy.migrations.files import run_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Forward only."""
    run_file("0008_ab_results.sql")
