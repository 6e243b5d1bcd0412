"""Unit tests of ``joinstorm/chaos``."""
