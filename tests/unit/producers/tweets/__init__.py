"""Unit tests of ``producers/tweets``."""
