"""Benchmarks of engines and producers, each contender in a process of its own."""
