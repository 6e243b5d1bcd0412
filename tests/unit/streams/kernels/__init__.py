"""Unit tests of ``streams/kernels``."""
