"""Reaching a Kafka cluster: connection, security, admin, rights, and writing in acknowledged batches."""
