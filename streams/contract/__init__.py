"""The contract: topics, events, run information, results, progress and dead letters, as types; no I/O."""
