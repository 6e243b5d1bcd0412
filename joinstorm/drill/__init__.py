"""Drills: an incident or a decoy of the shipped nights, seen on boards alone, and answers scored against the truth."""
