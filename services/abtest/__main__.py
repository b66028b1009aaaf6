"""`python -m services.abtest`: run abtest in the foreground."""

from functools import partial

from services.abtest.app import run
from services.abtest.settings import AbtestSettings
from shared.entry import run_service

main = partial(run_service, "abtest", AbtestSettings, run)

if __name__ == "__main__":
    main()
