"""Unit tests of ``streams``."""
