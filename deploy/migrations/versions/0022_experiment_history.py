"""What each A/B test's results said over time."""

from deploy.migrations.files import run_file

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Forward only."""
    run_file("0022_experiment_history.sql")
