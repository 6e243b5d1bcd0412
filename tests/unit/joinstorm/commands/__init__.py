"""Unit tests of ``joinstorm/commands``."""
