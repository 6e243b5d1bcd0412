"""Unit tests of ``streams/engines/flink``."""
