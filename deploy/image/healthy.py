"""`python -m deploy.image.healthy`: whether the service of this container lives.

Runs every few seconds for as long as the container does, so it loads the standard library only.
"""

import http.client
import os
import sys
from collections.abc import Mapping

WITHIN_S = 2.5
"""Less than the image's HEALTHCHECK waits, so that it is we who say what is wrong."""


def port_of(environment: Mapping[str, str]) -> int:
    """Where the service of this container answers /healthz."""
    is_gateway = environment.get("SERVICE") == "gateway"
    name, default = ("GATEWAY", "8080") if is_gateway else ("TELEMETRY", "9100")
    return int(environment.get(f"ASSAY_{name}_PORT", default))


def trouble(port: int) -> str | None:
    """What is wrong with the process behind this port, if anything."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    try:
        asking.request("GET", "/healthz")
        status = asking.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        asking.close()
    return None if status == http.HTTPStatus.OK else f"/healthz answers {status}"


if __name__ == "__main__":
    sys.exit(trouble(port_of(os.environ)))
