"""Pages that arrive: an Alertmanager, a receiver that keeps every notification, and the account of them."""
