"""What metrics reads to rebuild and compare its live cells."""

from deploy.migrations.files import run_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Forward only."""
    run_file("0002_rebuild.sql")
