"""Unit tests of ``streams/metrics``."""
