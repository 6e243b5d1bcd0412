"""Unit tests of ``joinstorm/oracle``."""
