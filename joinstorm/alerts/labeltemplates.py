"""Templates in an alert's labels: they decide which alert it is, so they are expanded as Prometheus does.

Labels, the value and plain text are known; functions are not. A label with the value in it makes another alert of every
value, so a ``for`` never passes: that is what Prometheus does, too.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

_TEMPLATE: Final = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_LABEL: Final = re.compile(r"(?:\$labels|\.Labels)\.(\w+)")
_VALUE: Final = ("$value", ".Value")
_TRIMMED: Final = re.compile(r"\{\{-|-\}\}")
_LEAST, _MOST = -4, 21
"""Decimal exponents between which Go writes a number without one."""


def unsupported(text: str) -> str | None:
    """Return the first template of a text that cannot be expanded; None if all can."""
    if found := _TRIMMED.search(text):
        return repr(found[0])
    inside = (found[1] for found in _TEMPLATE.finditer(text))
    return next((f"{{{{ {one} }}}}" for one in inside if one not in _VALUE and not _LABEL.fullmatch(one)), None)


def expand(text: str, labels: Mapping[str, str], value: float) -> str:
    """Return a text with its templates filled in; a label that is not there is empty."""
    if "{{" not in text:
        return text

    def filled(found: re.Match[str]) -> str:
        label = _LABEL.fullmatch(found[1])
        return labels.get(label[1], "") if label else go_number(value)

    return _TEMPLATE.sub(filled, text)


def go_number(value: float) -> str:
    """Return a number as Go prints it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    number = Decimal(repr(value)).normalize()
    exponent = number.adjusted()
    if value == 0 or _LEAST <= exponent < _MOST:
        return f"{number:f}"
    digits = "".join(map(str, number.as_tuple().digits))
    return f"{'-' if value < 0 else ''}{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{exponent:+03d}"
