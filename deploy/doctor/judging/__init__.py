"""From facts to findings: pure, so that every fault can be tried without a server."""
