"""Arms of A/B tests without the most operations of a unit."""

from deploy.migrations.files import run_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Forward only."""
    run_file("0013_ab_arms.sql")
