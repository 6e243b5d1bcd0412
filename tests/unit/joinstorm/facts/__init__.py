"""Unit tests of ``joinstorm/facts``."""
