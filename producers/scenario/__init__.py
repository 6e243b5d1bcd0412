"""Scenarios: the fields and their bounds, loading and checking, and the shipped nights."""
