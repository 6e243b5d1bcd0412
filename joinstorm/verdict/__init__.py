"""The verdict: final counts compared with the truth, and declared faults accounted for."""
