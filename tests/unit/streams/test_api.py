"""The public interface for engines: complete, in order, and all that the page on engines needs."""

import ast
import re
from pathlib import Path

from streams import api

PAGE = Path(__file__).parents[3] / "docs" / "adding-an-engine.md"
OURS = ("streams", "producers", "dashboards", "joinstorm")


def _rank(name: str) -> tuple[int, str]:
    """Order names as the linter does: constants, classes, functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_every_name_is_there_once_and_in_order() -> None:
    """``__all__`` lists what can be imported, without duplicates."""
    assert all(hasattr(api, name) for name in api.__all__)
    assert api.__all__ == sorted(set(api.__all__), key=_rank)


def test_everything_imported_is_public() -> None:
    """No re-export is missing from ``__all__``."""
    assert api.__file__ is not None
    tree = ast.parse(Path(api.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported == set(api.__all__)


def test_the_page_on_engines_imports_nothing_else_of_ours() -> None:
    """An author of an engine needs one module: ``streams.api``."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks
    modules: set[str] = set()
    for node in (node for block in blocks for node in ast.walk(ast.parse(block))):
        if isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    assert {module for module in modules if module.split(".")[0] in OURS} == {"streams.api"}
