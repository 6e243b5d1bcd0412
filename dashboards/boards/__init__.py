"""The four boards, each a function without arguments that returns the board's builder."""
