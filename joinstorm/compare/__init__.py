"""The same night through several engines: correctness first, then what it costs."""
