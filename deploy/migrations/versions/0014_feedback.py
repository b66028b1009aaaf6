"""What was said of operations, and the training rows made of it."""

from deploy.migrations.files import run_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Forward only."""
    run_file("0014_feedback.sql")
