"""A measurement on a page of the documentation, between two markers."""

import re
from pathlib import Path


def publish(section: str, markdown: str, path: Path | None) -> None:
    """Print a measurement, and with ``path`` put it between its markers in that document."""
    print(markdown)
    if path is None:
        return
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    text = path.read_text(encoding="utf-8")
    replaced, found = re.subn(
        f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{markdown}\n{end}", text, flags=re.DOTALL
    )
    if found != 1:
        raise SystemExit(f"{path}: expected one section between {begin} and {end}, found {found}")
    path.write_text(replaced, encoding="utf-8")
