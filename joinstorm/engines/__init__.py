"""What is known of each engine, how it is tested, and its own Python environment."""
