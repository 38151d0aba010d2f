"""What a value is: one description of every supported object, on which digests, comparison and storage agree."""
