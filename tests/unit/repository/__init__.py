"""Unit tests of ``repository``."""
