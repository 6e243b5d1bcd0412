"""Secrets in logs: masked in messages, arguments, encoded forms and tracebacks; the rest is logged as it is."""

import logging

import pytest

from streams.kafka.masking import MASK, hide
from streams.kafka.security import Security

WORD = "s\u00e9same's \\ word"
_log = logging.getLogger("tests.masking")


@pytest.fixture(autouse=True)
def secret() -> None:
    """Have a secret in this process, as every login does."""
    Security({"security.protocol": "SASL_SSL", "sasl.username": "alice", "sasl.password": WORD})


@pytest.mark.parametrize("value", [WORD, {"sasl_plain_password": WORD}, b"\0alice\0" + WORD.encode(), [(WORD,)]])
def test_a_secret_is_masked_in_every_form(caplog: pytest.LogCaptureFixture, value: object) -> None:
    """As text, in a configuration, and in the bytes of a request."""
    caplog.set_level(logging.DEBUG)
    _log.debug("sent %s", value)
    assert MASK in caplog.text
    assert "same" not in caplog.text


def test_a_traceback_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """The text of an exception is logged with its traceback."""
    try:
        float(WORD)
    except ValueError:
        _log.exception("refused")
    assert f'to float: "{MASK}"' in caplog.text


def test_nothing_else_is_changed(caplog: pytest.LogCaptureFixture) -> None:
    """An empty secret hides nothing."""
    hide("")
    _log.warning("%d of %s", 2, "three")
    assert "2 of three" in caplog.text
