"""Goldens for those who must trust them later and elsewhere: checkpoints, signatures, and exports in standard formats."""
