"""The table of known facts beside what a tape shows, and what-if comparisons."""
