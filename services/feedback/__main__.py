"""`python -m services.feedback`: run feedback in the foreground."""

from functools import partial

from services.feedback.app import run
from services.feedback.settings import FeedbackSettings
from shared.entry import run_service

main = partial(run_service, "feedback", FeedbackSettings, run)

if __name__ == "__main__":
    main()
