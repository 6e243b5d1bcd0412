"""The catalog of known engines, and the Python environments of those that need their own."""
