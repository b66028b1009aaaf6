"""The fence, without its servers."""
