"""Scenarios: what one may say, loading and checking, and the shipped nights."""
