"""Alert rules, alerts, their steps, and what people did to them."""

from deploy.migrations.files import run_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Forward only."""
    run_file("0003_alerts.sql")
