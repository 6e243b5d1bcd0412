"""Engine ``spark``: Spark Structured Streaming, on this machine or on a cluster."""
