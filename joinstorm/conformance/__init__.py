"""The certificate: an engine held to the contract, point by point."""
