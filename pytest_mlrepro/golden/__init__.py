"""Recorded runs: read, compared, written, accepted."""
