"""The message for an unknown name: the closest known name, and the list of all."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name closest to what was typed; None where none is close.

    Args:
        name: What was typed.
        known: The names there are.
        cutoff: How similar they have to be, 0 to 1 (``difflib``).
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return close[0] if close else None


def unknown(what: str, name: str, known: Iterable[str], also: str = "") -> str:
    """Return ``unknown scenario 'lanch'; did you mean 'launch'? Known: control, launch``, to be put into an error.

    Args:
        what: What was named: ``scenario``, ``engine``, ``field`` …
        name: What was typed.
        known: The names there are, in the order to show them.
        also: What may stand in place of a known name, such as ``a path to a YAML file``.
    """
    names = [str(each) for each in known]
    close = nearest(name, names)
    hint = f"; did you mean {close!r}?" if close else "."
    return f"unknown {what} {name!r}{hint} Known: {', '.join([*names, *([f'or {also}'] if also else [])])}"
