"""A rehearsal: a night through the real pipeline, its rules in a real Prometheus, and every page accounted for."""
