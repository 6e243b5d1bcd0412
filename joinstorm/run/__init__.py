"""``joinstorm run``: the whole job as processes around a broker."""
