"""The table of known facts with a tape's figures, and what-if comparisons."""
