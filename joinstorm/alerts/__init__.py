"""Alerts scored against the truth: any Prometheus rules over recorded nights, at their own dates, in event time."""
