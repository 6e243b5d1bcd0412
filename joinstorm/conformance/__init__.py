"""The certificate: an engine tested against the contract, point by point."""
