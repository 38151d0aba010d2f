"""Steps chained by fingerprints: what each was made from, where two runs part, and the graph that the steps form."""
