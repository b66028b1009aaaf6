"""SQL of the gateway: one function per statement, inside a transaction that knows its tenant."""
