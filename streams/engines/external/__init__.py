"""Engine ``external``: any program that keeps the contract."""
