"""The proof of boards and rules: a night in a real Prometheus, every query compared with the oracle, and mutants."""
