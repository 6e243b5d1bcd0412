"""Unit tests of ``joinstorm/bench``."""
