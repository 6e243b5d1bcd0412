"""How boards and rules are proven: a night in a real Prometheus, every query held against the oracle, then altered."""
