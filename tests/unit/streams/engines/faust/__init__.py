"""Unit tests of ``streams/engines/faust``."""
