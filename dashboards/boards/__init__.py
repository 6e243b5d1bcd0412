"""The four boards, each a function that returns the board's builder."""
