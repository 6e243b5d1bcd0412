"""Unit tests of ``joinstorm/report``."""
