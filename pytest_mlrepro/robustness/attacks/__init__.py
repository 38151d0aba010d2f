"""Ways to look for a counterexample, each of one kind; which are used when is in `plans`."""
