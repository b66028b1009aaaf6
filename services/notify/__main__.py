"""`python -m services.notify`: run notify in the foreground."""

from functools import partial

from services.notify.app import run
from services.notify.settings import NotifySettings
from shared.entry import run_service

main = partial(run_service, "notify", NotifySettings, run)

if __name__ == "__main__":
    main()
