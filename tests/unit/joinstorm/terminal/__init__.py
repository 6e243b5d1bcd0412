"""Unit tests of ``joinstorm/terminal``."""
