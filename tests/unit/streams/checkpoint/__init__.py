"""Unit tests of ``streams/checkpoint``."""
