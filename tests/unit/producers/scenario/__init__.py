"""Unit tests of ``producers/scenario``."""
