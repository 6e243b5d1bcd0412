"""Replaying a tape: opening a run, the schedule, the tape deck and its control server, status and position."""
