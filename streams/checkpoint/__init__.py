"""Checkpoints: saved fold states, their identity and their log in Kafka."""
