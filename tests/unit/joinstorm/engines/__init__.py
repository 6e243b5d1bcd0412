"""Unit tests of ``joinstorm/engines``."""
