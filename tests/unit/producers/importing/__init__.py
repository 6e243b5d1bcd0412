"""Unit tests of ``producers/importing``."""
