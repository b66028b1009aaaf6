"""`python -m services.gateway`: run the gateway in the foreground."""

from functools import partial

from services.gateway.app import run
from services.gateway.settings import GatewaySettings
from shared.entry import run_service

main = partial(run_service, "gateway", GatewaySettings, run)

if __name__ == "__main__":
    main()
