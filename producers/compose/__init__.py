"""From rows of a tape to records per partition: encoding, partitioning, marks, declared faults."""
