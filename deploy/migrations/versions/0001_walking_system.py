"""Operations, feedback, dead letters, rollups, fences, tenants and keys."""

from deploy.migrations.files import run_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Forward only."""
    run_file("0001_walking_system.sql")
