"""Unit tests of ``joinstorm/run``."""
