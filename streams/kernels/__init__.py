"""Compiled kernels: record batches, JSON to columns, counts and JSON again, as loops over bytes and arrays."""
