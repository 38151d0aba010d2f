"""How far apart two values are, and in which words."""
