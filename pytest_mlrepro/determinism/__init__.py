"""Does it repeat, and where does it part."""
