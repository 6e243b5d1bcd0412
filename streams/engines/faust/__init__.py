"""Engine ``faust``: whole record batches, checkpoints of its own; and ``faust-tables``, the baseline."""
