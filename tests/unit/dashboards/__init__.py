"""Unit tests of ``dashboards``."""
