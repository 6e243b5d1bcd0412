"""Engine ``external``: any program that implements the contract."""
