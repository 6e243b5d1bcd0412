"""A Prometheus of our own, and a whole night as samples for it."""
