"""Captures: the records of any topics as they are, in a file, and their replay into other topics."""
