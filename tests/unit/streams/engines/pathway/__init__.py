"""Unit tests of ``streams/engines/pathway``."""
