"""Engine ``flink``: Flink SQL on a local Flink or on a cluster."""
