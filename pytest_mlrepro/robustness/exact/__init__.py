"""Exact answers, for models whose form allows them: affine models in closed form."""
