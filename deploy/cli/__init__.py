"""The `assay` program."""

import sys


def app() -> None:
    """Run it. A service loads none of the other commands: that would be 40 MB in each container."""
    if sys.argv[1:2] == ["service"]:
        from deploy.cli.service import alone  # noqa: PLC0415

        alone()
    else:
        from deploy.cli.main import app as whole  # noqa: PLC0415

        whole()
