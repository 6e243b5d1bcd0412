"""Unit tests of ``joinstorm/embedded``."""
