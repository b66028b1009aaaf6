"""`python -m services.metrics`: run metrics in the foreground."""

from functools import partial

from services.metrics.app import run
from services.metrics.settings import MetricsSettings
from shared.entry import run_service

main = partial(run_service, "metrics", MetricsSettings, run)

if __name__ == "__main__":
    main()
