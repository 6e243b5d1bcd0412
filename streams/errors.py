"""The errors of joinstorm: one root; each class has its exit code and says whether a retry can help."""

import os
from collections.abc import Sequence
from typing import ClassVar

EXIT_OK = 0
EXIT_FAILED = 1
"""The job ran and its answer is no: the verdict is not exact, or a check failed."""
EXIT_USAGE = 2
"""The request is invalid: a bad option, scenario, tape or file."""
EXIT_ENVIRONMENT = 3
"""Something outside is missing: no broker, no Java, no network, or a port in use."""
EXIT_INTERRUPTED = 130
"""Ended by Ctrl-C, SIGTERM or a closed terminal."""


class JoinstormError(Exception):
    """Root of every error joinstorm raises on purpose; its text is shown to the user unchanged."""

    retriable: ClassVar[bool] = False
    exit_code: ClassVar[int] = EXIT_USAGE


class UsageError(JoinstormError):
    """What a user typed or configured cannot be used; the text names it and what is allowed."""


class NoFactsError(UsageError):
    """A tape has no facts to be compared with: it was imported, or its scenario names none."""


class ScenarioError(JoinstormError):
    """A scenario is unknown, malformed or impossible; the text names file, line, field and what is allowed."""


class TapeError(JoinstormError):
    """A tape is missing, truncated, altered or in another format."""


class EventFileError(JoinstormError):
    """A file of events cannot be imported; the text names the file, the row or column, and what is allowed."""


class CaptureError(JoinstormError):
    """A capture is missing, cut, altered or not one, or cannot be played as asked; the text names file and place."""


class RulesError(JoinstormError):
    """A rules file or what was asked of it is wrong; the text names file and line, and what was expected."""


class DecodeError(JoinstormError):
    """A record is not an event of the run.

    Args:
        reason: A short code from a closed set, usable as a metric label (see ``streams.contract.events``).
        detail: What was expected and what was found.
        source: ``topic[partition]@offset`` if known.
    """

    def __init__(self, reason: str, detail: str, source: str = "") -> None:
        super().__init__(f"{source + ': ' if source else ''}{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.source = source


class ContractError(JoinstormError):
    """Run information, results or marks on a topic break the contract of docs/architecture.md."""


class EngineError(JoinstormError):
    """An engine failed to start, or stopped before its work was done."""

    exit_code = EXIT_FAILED


class UnknownEngineError(EngineError):
    """No engine has this name, or the name is not that of an engine; the text lists the known ones."""

    exit_code = EXIT_USAGE


class EnvironmentMissingError(JoinstormError):
    """Java, the broker's jars, a port or another part of the environment is missing; the text says how to get it."""

    exit_code = EXIT_ENVIRONMENT


class NotInstalledError(EngineError, EnvironmentMissingError):
    """An engine's library is not installed; the text has the command that installs it."""

    exit_code = EXIT_ENVIRONMENT


class BrokerError(EnvironmentMissingError):
    """No broker answers, or the broker refuses; ``retriable`` because the broker may come back."""

    retriable = True


class AwayError(BrokerError):
    """The broker is away: nothing listens, or it answers no more. That may change within seconds, as in a restart."""


class RefusedError(EnvironmentMissingError):
    """The broker accepts the client but denies an operation; a retry does not help.

    Args:
        who: The principal as the broker sees it.
        where: The broker's address.
        lacking: The denied operations, each as ``WRITE on topic results.audience``.
    """

    def __init__(self, who: str, where: str, lacking: Sequence[str]) -> None:
        super().__init__(f"{where}: {who} lacks {', '.join(lacking)}")
        self.lacking = tuple(lacking)


class DeliveryError(JoinstormError):
    """The broker did not acknowledge some records."""

    exit_code = EXIT_FAILED


class DeadlineError(JoinstormError):
    """An expected state was not reached in time; the text names the state and what was seen instead."""

    exit_code = EXIT_FAILED


def reason(error: OSError) -> str:
    """Return why the system refused, without the path: ``No space left on device``; the message names the path."""
    return os.strerror(error.errno) if error.errno else (str(error).splitlines() or [type(error).__name__])[0]
