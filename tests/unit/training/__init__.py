"""Unit tests of exports of training data."""
