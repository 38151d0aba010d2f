"""Every random source seeded, and put back."""
