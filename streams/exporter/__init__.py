"""The exporter: a run as Prometheus samples, and the health of its broker."""
