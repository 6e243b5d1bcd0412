"""Engine ``pathway``: Pathway's incremental tables."""
