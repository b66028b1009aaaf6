"""Steps of A/B tests are told to channels."""

from deploy.migrations.files import run_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Forward only."""
    run_file("0010_experiment_notifications.sql")
