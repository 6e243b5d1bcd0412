"""Unit tests of ``streams/fold``."""
