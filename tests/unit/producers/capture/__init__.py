"""Unit tests of ``producers/capture``."""
