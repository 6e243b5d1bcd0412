"""Unit tests of ``streams/golden``."""
