"""API keys are managed over HTTP."""

from deploy.migrations.files import run_file

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Forward only."""
    run_file("0018_api_keys.sql")
