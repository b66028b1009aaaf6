"""What units of A/B tests did before the test: covariates and limits."""

from deploy.migrations.files import run_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Forward only."""
    run_file("0012_ab_past.sql")
