"""How long what is kept of whom."""

from deploy.migrations.files import run_file

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Forward only."""
    run_file("0021_retention.sql")
