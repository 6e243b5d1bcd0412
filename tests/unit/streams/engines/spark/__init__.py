"""Unit tests of ``streams/engines/spark``."""
