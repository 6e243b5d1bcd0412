"""Engine ``kafka-python``: a plain consumer and producer, the smallest exact engine."""
