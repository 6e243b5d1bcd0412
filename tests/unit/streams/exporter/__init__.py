"""Unit tests of ``streams/exporter``."""
