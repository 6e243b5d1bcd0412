"""Secrets that no log record of this process shows, at any level and by any handler."""

import logging
from typing import Any, Final

MASK: Final = "[hidden]"
_hidden: set[str] = set()


def hide(secret: str) -> None:
    """Mask a secret in everything this process logs from now on.

    Client libraries log their configuration and their requests at DEBUG, so records are masked where they are made.
    """
    if not secret:
        return
    _hidden.update({secret, repr(secret)[1:-1], repr(secret.encode())[2:-1]})
    if logging.getLogRecordFactory() is logging.LogRecord:
        logging.setLogRecordFactory(MaskedRecord)


def masked(text: str) -> str:
    """Return a text without the hidden secrets; the longest is replaced first, as it may hold another one."""
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


class MaskedRecord(logging.LogRecord):
    """A log record whose message and traceback show no secret."""

    def __init__(self, *args: Any, **further: Any) -> None:
        super().__init__(*args, **further)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = masked(logging.Formatter().formatException(self.exc_info))

    def getMessage(self) -> str:  # noqa: N802 - the name is logging's
        """Return the message with its arguments, masked."""
        return masked(super().getMessage())
