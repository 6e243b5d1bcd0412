"""Faults against a running job: seeded schedules, their execution, and the shrinking of the ones that fail."""
