"""Unit tests of ``streams/system``."""
