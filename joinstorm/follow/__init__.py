"""Following runs one after another, and forgetting old ones."""
