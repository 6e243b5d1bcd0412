"""Unit tests of ``streams/read``."""
