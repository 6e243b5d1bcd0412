"""Metrics: every definition as data, the page generated from them, and the /metrics server."""
