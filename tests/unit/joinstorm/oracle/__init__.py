"""Tests of joinstorm.oracle."""
