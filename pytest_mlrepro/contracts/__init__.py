"""What good data is: what a table must look like, and what its parts may not share."""
