"""What there is to run."""

SERVICES = ("ingest", "metrics", "notify", "abtest", "feedback", "gateway")
