"""A Prometheus process for checks, and a whole night as samples for it."""
