"""The container image: what of it is not in the Dockerfile."""
