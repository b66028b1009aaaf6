"""`python -m services.gateway`: run the gateway in the foreground."""

import asyncio

from services.gateway.app import run
from services.gateway.settings import GatewaySettings
from shared.settings import load
from shared.telemetry import configure_logging


def main() -> None:
    """Read the settings and serve until told to stop."""
    settings = load(GatewaySettings)
    configure_logging("gateway", settings.log_level)
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
