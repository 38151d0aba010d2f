"""What a record tells of a verdict besides its outcome: statistics, and arrays made small enough for a picture."""
