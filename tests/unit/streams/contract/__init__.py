"""Unit tests of ``streams/contract``."""
