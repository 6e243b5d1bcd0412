"""The stream processors that can be held to the truth."""
