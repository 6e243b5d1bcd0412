"""Starting what listens on free ports: another process may take one of them before it is bound."""

from collections.abc import Callable
from typing import Final

from streams.errors import EnvironmentMissingError

START_TRIES: Final = 3


def start_on_fresh_ports(
    start: Callable[[], None], port_was_taken: Callable[[], bool], close: Callable[[], None]
) -> None:
    """Call ``start`` until it succeeds, at most ``START_TRIES`` times, and again only where a port was taken.

    Args:
        start: Chooses ports and starts.
        port_was_taken: Whether that is why it failed.
        close: Removes what a failed start left.

    Raises:
        EnvironmentMissingError: The last try failed, or a try failed for another reason.
    """
    for left in reversed(range(START_TRIES)):
        try:
            return start()
        except BaseException as error:
            again = left and isinstance(error, EnvironmentMissingError) and port_was_taken()
            close()
            if not again:
                raise
    return None
