"""What an export can lack."""


class MissingExtraError(RuntimeError):
    """Something was asked for that needs a package which is not installed."""
