"""The engines: stream processors that are checked against the truth."""
