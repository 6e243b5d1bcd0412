"""The tape: a recorded night as a Parquet file, its format and its content hash."""
