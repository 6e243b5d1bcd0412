"""One module per command of the joinstorm command line."""
