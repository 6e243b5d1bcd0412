"""Text of others, shown as it is: a terminal must not obey what a file, a record or a name contains."""

import html
from typing import Final

_KEPT: Final = frozenset("\n\t\u200c\u200d")
"""Not printable by themselves, yet part of honest text: line ends, tabs, and the joiners of scripts and emoji."""


def visible(text: str) -> str:
    r"""Return a text with everything that is not printable spelled out: ``\x1b`` for an escape, ``\u202e`` for a turn.

    Lines stay lines. JSON stays the same JSON: its encoders already spell what is below a blank, and the rest is
    spelled as JSON does.
    """
    if text.isprintable():
        return text
    return "".join(one if one in _KEPT or one.isprintable() else spelled(one) for one in text)


def visible_line(text: str, longest: int = 0) -> str:
    r"""Return a text as one visible line, line ends as ``\x0a``; cut after ``longest`` characters unless that is 0."""
    cut = text[:longest] + "…" if 0 < longest < len(text) else text
    return visible(cut).replace("\n", "\\x0a").replace("\t", "\\x09")


def escape(text: str) -> str:
    """Return a text for any place in HTML, between tags or in quotes, with everything in it made visible."""
    return html.escape(visible(text))


def spelled(text: str) -> str:
    """Return every character of a text spelled out."""
    return "".join(_spelled(ord(one)) for one in text)


def spell_unencodable(error: UnicodeError) -> tuple[str, int]:
    """Spell what an encoding lacks; an error handler for ``codecs.register_error``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return spelled(error.object[error.start : error.end]), error.end


def _spelled(code: int) -> str:
    if code < 0x20:  # noqa: PLR2004 - the first printable character
        return f"\\x{code:02x}"
    if code <= 0xFFFF:  # noqa: PLR2004 - the last character that is one unit of UTF-16
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
