"""Runs one worker in an engine's own environment: settings arrive on stdin, the summary leaves on stdout, as JSON."""

import importlib
import os
import signal
import sys
import threading
import time

import msgspec

from streams.engines.abstract import Summary, WorkerSettings
from streams.errors import EXIT_USAGE, JoinstormError
from streams.system.children import parent_death
from streams.visible import visible

POLL_SECONDS = 0.5


def main() -> int:
    """Run the flow named by the only argument and return the exit code."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the flow
        sys.stderr.write(f"usage: python -m {__spec__.name} FLOW < settings.json\n")
        return EXIT_USAGE
    die_with(os.getppid())
    settings = msgspec.json.decode(sys.stdin.buffer.read(), type=WorkerSettings)
    results = os.dup(1)
    os.dup2(2, 1)  # so that nothing a library prints mixes with the summary
    try:
        summary: Summary = importlib.import_module(sys.argv[1]).run(settings)
    except JoinstormError as error:
        sys.stderr.write(f"joinstorm: {visible(str(error))}\n")
        return error.exit_code
    os.write(results, msgspec.json.encode(summary) + b"\n")
    return 0


def die_with(parent: int) -> None:
    """End this process when its parent is killed: by the kernel if it supports that, otherwise by polling."""
    parent_death()()
    threading.Thread(target=_kill_when_orphaned, args=(parent,), daemon=True).start()


def _kill_when_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
