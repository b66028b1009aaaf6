"""The audit chain."""

from deploy.migrations.files import run_file

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Forward only."""
    run_file("0017_audit.sql")
