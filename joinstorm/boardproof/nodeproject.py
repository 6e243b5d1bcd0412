"""The drawing program in ``dashboards/render``: its libraries from npm, installed once into the cache, and its runs."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dashboards import stored
from streams.errors import EnvironmentMissingError, JoinstormError
from streams.system.cache import cache_folder
from streams.system.children import die_with_parent
from streams.system.turns import alone

RENDER: Final = "render"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
HOW_TO_GET: Final = "Debian and Ubuntu: apt-get install chromium nodejs npm"
_INSTALL: Final = ("install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
_INSTALL_SECONDS: Final = 1200
_INSTALLED: Final = ".installed"


def program(*names: str) -> str:
    """Return the path of the first of these programs that is installed.

    Raises:
        EnvironmentMissingError: None is; the text says how to get it.
    """
    for name in names:
        if found := shutil.which(name):
            return found
    raise EnvironmentMissingError(f"{names[0]} is not installed ({HOW_TO_GET})")


def install(environ: Mapping[str, str]) -> Path:
    """Return a folder with the drawing program and its libraries; the first call fetches them with npm.

    Raises:
        EnvironmentMissingError: npm is missing or cannot fetch the libraries; the text has the end of its output.
    """
    source = stored.HERE / RENDER
    wanted = (source / "package.json").read_bytes()
    folder = cache_folder(environ) / "render" / hashlib.sha256(wanted).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder.with_suffix(".lock"), _INSTALL_SECONDS):  # of two at once, the second finds the first done
        if not (folder / _INSTALLED).exists():
            (folder / "package.json").write_bytes(wanted)
            _run([program("npm"), *_INSTALL], folder, _INSTALL_SECONDS)
            (folder / _INSTALLED).touch()
    return folder


def draw(jobs: Mapping[str, Any], folder: Path, environ: Mapping[str, str], seconds: float) -> dict[str, list[str]]:
    """Draw the pictures of ``jobs`` (see render.mjs) within a time limit, and return the findings by picture.

    Raises:
        EnvironmentMissingError: node, npm or Chromium is missing.
        JoinstormError: The drawing program failed; the text is its own.
    """
    installed = install(environ)
    # Node looks for libraries next to the program, so the program lies next to the installed ones.
    code = folder / "code"
    shutil.copytree(stored.HERE / RENDER, code, ignore=shutil.ignore_patterns("node_modules"))
    (code / "node_modules").symlink_to(installed / "node_modules")
    path = folder / "jobs.json"
    path.write_text(json.dumps(jobs))
    command = [program("node"), "--preserve-symlinks", str(code / "render.mjs"), str(path), program(*BROWSERS)]
    found: dict[str, list[str]] = json.loads(_run(command, code, seconds))
    return found


def _run(command: list[str], folder: Path, seconds: float) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentMissingError(f"{' '.join(command[:2])}: {error}") from error
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        kind = EnvironmentMissingError if "npm" in command[0] else JoinstormError
        raise kind(f"{' '.join(command[:2])} ended with exit code {done.returncode}:\n{tail}")
    return done.stdout
