"""Your own recording, as CSV, JSONL or Parquet, becomes a tape (docs/importing.md)."""
