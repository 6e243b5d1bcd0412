"""Unit tests of ``producers/senders``."""
