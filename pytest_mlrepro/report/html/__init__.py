"""The page that shows a run: one file, which needs nothing from anywhere else."""
