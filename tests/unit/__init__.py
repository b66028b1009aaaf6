"""Tests of pure rooms; nothing here does I/O."""
