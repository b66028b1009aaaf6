"""What A/B tests count: events, units, and sums over units."""

from deploy.migrations.files import run_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Forward only."""
    run_file("0009_ab_units.sql")
