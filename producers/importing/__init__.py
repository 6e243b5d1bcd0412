"""Your own recording, as CSV, JSON, JSONL or Parquet, becomes a tape (docs/importing.md)."""
