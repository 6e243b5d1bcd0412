"""The effect of the announcement: baseline, size, shape and uncertainty, estimated from counts; no I/O."""
