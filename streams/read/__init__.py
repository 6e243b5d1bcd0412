"""Reading results: from the result topics to values at any moment of event time."""
