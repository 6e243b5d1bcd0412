"""Runs a command for each new run in turn, and deletes old runs."""
