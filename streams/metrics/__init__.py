"""Metrics: every definition as data, the page made from them, and the server of /metrics."""
