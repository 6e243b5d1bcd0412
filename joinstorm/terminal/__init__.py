"""What a person sees and types in a terminal: live display, progress bars, keys of the tape deck."""
