"""`python -m services.metrics`: run metrics in the foreground."""

import asyncio

from services.metrics.app import run
from services.metrics.settings import MetricsSettings
from shared.settings import load
from shared.telemetry import configure_logging


def main() -> None:
    """Read the settings and consume until told to stop."""
    settings = load(MetricsSettings)
    configure_logging("metrics", settings.log_level)
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
