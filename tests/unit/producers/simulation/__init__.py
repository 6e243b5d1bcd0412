"""Unit tests of ``producers/simulation``."""
