"""The effect of the announcement: baseline, size, shape and uncertainty; pure estimates over counts."""
