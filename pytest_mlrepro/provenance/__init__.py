"""What a result was made from, kept beside it; and, when the result changes, what changed with it."""
