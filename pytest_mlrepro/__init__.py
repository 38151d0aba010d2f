"""Seeded tests and golden runs for machine learning, from inside pytest."""
