"""Why one span or log record is refused while the rest of its request is taken."""


class RefusedError(Exception):
    """A reason in words; retrying does not help."""
