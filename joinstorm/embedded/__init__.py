"""The embedded Kafka broker: a Java runtime, the jars, one process."""
