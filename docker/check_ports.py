"""Says before `docker compose up` which port is taken, and which setting of .env changes it; standard library only."""
# ruff: noqa: INP001 - a script on its own, run before anything is installed

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

ENV = Path(__file__).parents[1] / ".env"


def settings(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a .env file; the environment wins, as with docker compose."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: environ.get(name, value) for name, value in pairs}


def taken(found: Mapping[str, str]) -> list[str]:
    """Return the names of the port settings whose port cannot be had."""
    return [name for name in found if name.endswith("_PORT") and not _free(found.get("BIND", ""), int(found[name]))]


def _free(address: str, port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((address, port))
        except OSError:
            return False
    return True


def main() -> int:
    """Print a line per taken port to stderr; the exit code is 1 if there is one."""
    found = settings(ENV.read_text(encoding="utf-8"), os.environ)
    names = taken(found)
    for name in names:
        port = int(found[name])
        sys.stderr.write(
            f"port {port} is taken: choose another in .env ({name}=…), or for this start: "
            f"{name}={port + 1} docker compose up\n"
        )
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
