"""Unit tests of ``joinstorm/prometheus``."""
