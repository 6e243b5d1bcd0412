"""The oracle: every count as SQL over the tape; shares no code with the folds."""
