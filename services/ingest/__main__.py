"""`python -m services.ingest`: run ingest in the foreground."""

from functools import partial

from services.ingest.app import run
from services.ingest.settings import IngestSettings
from shared.entry import run_service

main = partial(run_service, "ingest", IngestSettings, run)

if __name__ == "__main__":
    main()
