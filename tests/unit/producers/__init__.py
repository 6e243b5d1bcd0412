"""Unit tests of ``producers``."""
