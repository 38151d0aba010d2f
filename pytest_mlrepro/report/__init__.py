"""A finished run, shown."""
