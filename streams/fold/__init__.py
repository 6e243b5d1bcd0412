"""The exact counts as pure folds over columns of events; no I/O, no clock."""
