"""Unit tests of ``streams/engines/shared``."""
