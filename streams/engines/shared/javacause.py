"""The cause of an error that Java has raised and py4j has passed on."""

from typing import Final

CAUSED: Final = "Caused by:"


def java_cause(error: Exception) -> str:
    """Return the last of Java's causes in one line, or else the first line of the error, or its type."""
    lines = str(error).splitlines()
    causes = [line.removeprefix(CAUSED).strip() for line in lines if line.startswith(CAUSED)]
    return causes[-1] if causes else next((line.strip() for line in lines if line.strip()), type(error).__name__)
