"""Unit tests of ``joinstorm/compare``."""
