"""The same night through several engines: correctness first, then cost."""
