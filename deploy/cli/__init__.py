"""The `assay` program."""

from deploy.cli.main import app

__all__ = ["app"]
