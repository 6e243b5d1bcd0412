"""The embedded Kafka broker: its Java runtime, its jars, its process."""
