"""Unit tests of ``producers/tape``."""
