"""The errors of joinstorm: one root, each class saying whether trying again can help and which exit code it earns."""

import os
from collections.abc import Sequence
from typing import ClassVar

EXIT_OK = 0
EXIT_FAILED = 1
"""The job ran, and its answer is no: the verdict is not exact, a check did not hold."""
EXIT_USAGE = 2
"""What was asked cannot be done: a bad option, scenario, tape or file."""
EXIT_ENVIRONMENT = 3
"""Something outside is missing: no broker, no Java, no network, a port that is taken."""
EXIT_INTERRUPTED = 130
"""Ended by Ctrl-C, SIGTERM or a closed terminal."""


class JoinstormError(Exception):
    """Root of every error joinstorm raises on purpose; its text is meant for the user as it is."""

    retriable: ClassVar[bool] = False
    exit_code: ClassVar[int] = EXIT_USAGE


class UsageError(JoinstormError):
    """What a user typed or configured cannot be used; the text names it and what is allowed."""


class ScenarioError(JoinstormError):
    """A scenario is unknown, malformed or impossible; the text names file, line, field and what is allowed."""


class TapeError(JoinstormError):
    """A tape is missing, cut off, altered or of another format."""


class EventFileError(JoinstormError):
    """A file of events cannot be imported; the text names the file, the row or column, and what is allowed."""


class DecodeError(JoinstormError):
    """A record is not an event of ours.

    Args:
        reason: A short code from a closed set, fit for a metric label (see ``streams.contract.events``).
        detail: What was expected and what was found.
        source: ``topic[partition]@offset`` where known.
    """

    def __init__(self, reason: str, detail: str, source: str = "") -> None:
        super().__init__(f"{source + ': ' if source else ''}{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.source = source


class ContractError(JoinstormError):
    """Run information, results or marks on a topic break the contract of docs/architecture.md."""


class EngineError(JoinstormError):
    """An engine failed to start, or stopped before the end of its work."""

    exit_code = EXIT_FAILED


class UnknownEngineError(EngineError):
    """Nobody knows an engine of this name, or what it names is none; the text has the known ones."""

    exit_code = EXIT_USAGE


class EnvironmentMissingError(JoinstormError):
    """Java, the broker's jars, a port or another part of the surroundings is missing; the text says how to get it."""

    exit_code = EXIT_ENVIRONMENT


class NotInstalledError(EngineError, EnvironmentMissingError):
    """An engine's library is not here; the text has the line that installs it."""

    exit_code = EXIT_ENVIRONMENT


class BrokerError(EnvironmentMissingError):
    """No broker answers, or the broker refuses; ``retriable`` as the broker may come back."""

    retriable = True


class AwayError(BrokerError):
    """Nobody listens at the address, which may change within seconds: a broker is being started again."""


class RefusedError(EnvironmentMissingError):
    """The broker lets us in and does not let us do something; trying again does not help.

    Args:
        who: Whom the broker takes us for.
        where: Its address.
        lacking: What is not allowed, each as ``WRITE on topic results.audience``.
    """

    def __init__(self, who: str, where: str, lacking: Sequence[str]) -> None:
        super().__init__(f"{where}: {who} lacks {', '.join(lacking)}")
        self.lacking = tuple(lacking)


class DeliveryError(JoinstormError):
    """Records were not acknowledged by the broker."""

    exit_code = EXIT_FAILED


class DeadlineError(JoinstormError):
    """A state that was waited for did not come in time; the text says which state and what was seen instead."""

    exit_code = EXIT_FAILED


def reason(error: OSError) -> str:
    """Return why the system refused, without the path: ``No space left on device``; the message names the path."""
    return os.strerror(error.errno) if error.errno else (str(error).splitlines() or [type(error).__name__])[0]
