"""Unit tests of ``streams/engines``."""
