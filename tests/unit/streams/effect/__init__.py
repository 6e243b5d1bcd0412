"""Unit tests of ``streams/effect``."""
