"""What every command prints with ``--format json``: the types, and the JSON Schemas generated from them."""
