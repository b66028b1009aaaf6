"""Set-up and operation jobs: each one function that the command line calls."""
