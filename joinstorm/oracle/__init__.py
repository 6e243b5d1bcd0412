"""The oracle: every count as SQL over the tape; it shares no code with the folds."""
