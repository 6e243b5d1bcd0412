"""Chaos: seeded schedules of faults against a running job, and the shrinking of those that fail."""
