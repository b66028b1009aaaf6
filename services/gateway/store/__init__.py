"""What the gateway reads: Postgres under row level security, Redis views."""
