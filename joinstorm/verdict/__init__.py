"""The verdict: final counts compared with the truth, and every declared fault accounted for."""
