"""Unit tests of ``benchmarks``."""
