"""Unit tests of ``joinstorm``."""
