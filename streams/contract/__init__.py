"""The contract as types: topics, events, run information, results, progress and dead letters; no I/O."""
