"""Unit tests of ``producers/replay``."""
