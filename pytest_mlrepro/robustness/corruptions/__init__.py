"""What happens to data on its way: each corruption with five severities, by the kind of data."""
