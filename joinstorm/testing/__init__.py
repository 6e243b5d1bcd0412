"""Tests of stream processors: fixtures for pytest with an embedded Kafka and a tiny night of known answers."""
