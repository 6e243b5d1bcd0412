"""Name every port of .env that is taken, before `docker compose up`; standard library only."""
# ruff: noqa: INP001 - a standalone script that runs before anything is installed

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
    """Return the names of the settings whose port is taken."""
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
    """Print one line per taken port to stderr; return 1 if there is one, else 0."""
    found = settings(ENV.read_text(encoding="utf-8"), os.environ)
    names = taken(found)
    for name in names:
        port = int(found[name])
        sys.stderr.write(
            f"port {port} is taken: choose another one in .env ({name}=…), or for this start: "
            f"{name}={port + 1} docker compose up\n"
        )
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
