"""`python -m services.ingest`: run ingest in the foreground."""

import asyncio

from services.ingest.app import run
from services.ingest.settings import IngestSettings
from shared.settings import load
from shared.telemetry import configure_logging


def main() -> None:
    """Read the settings and consume until told to stop."""
    settings = load(IngestSettings)
    configure_logging("ingest", settings.log_level)
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
