"""Replaying a tape: the opening of a run, the schedule, the tape deck and its control server, status and position."""
