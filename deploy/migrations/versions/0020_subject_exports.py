"""What is stored of one person, written down for that person."""

from deploy.migrations.files import run_file

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Forward only."""
    run_file("0020_subject_exports.sql")
