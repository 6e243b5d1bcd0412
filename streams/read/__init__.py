"""Reading results: from the result topics to values at any event time."""
