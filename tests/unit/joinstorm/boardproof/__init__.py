"""Unit tests of ``joinstorm/boardproof``."""
