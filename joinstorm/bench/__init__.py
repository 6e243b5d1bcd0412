"""Measuring engines side by side: one run, one topic, one process each."""
