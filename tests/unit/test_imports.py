"""Imports go one way: streams knows nobody, producers and dashboards know streams' contracts, joinstorm knows all."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"streams", "producers", "dashboards", "joinstorm"}
ALLOWED = {
    "streams": {"streams"},
    "producers": {"producers", "streams"},
    "dashboards": {"dashboards", "streams"},
    "joinstorm": OURS,
}
NOT_FOR_OUTSIDERS = ("streams.engines", "streams.exporter", "streams.audience", "streams.reaction", "streams.reader")
"""What producers and dashboards must not reach into: they share contracts with the stream side, not its workings."""
ORACLE_MAY_NOT = (
    "streams.audience",
    "streams.reaction",
    "streams.dedupe",
    "streams.columns",
    "streams.subject",
    "streams.engines",
)
"""The oracle is a second implementation: it shares no code with the folds."""


def imported(path: Path) -> set[str]:
    """Return the dotted names of all modules a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def sources(package: str) -> list[Path]:
    """Return every Python file of a package."""
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", sorted(OURS))
def test_packages_import_only_what_they_may(package: str) -> None:
    """No module imports against the direction of the architecture."""
    for path in sources(package):
        tops = {name.split(".")[0] for name in imported(path)} & OURS
        assert tops <= ALLOWED[package], f"{path.relative_to(ROOT)} imports {sorted(tops - ALLOWED[package])}"


@pytest.mark.parametrize("package", ["producers", "dashboards"])
def test_outsiders_see_contracts_only(package: str) -> None:
    """Producers and dashboards do not reach into folds, engines or the exporter."""
    for path in sources(package):
        wrong = [name for name in imported(path) if name.startswith(NOT_FOR_OUTSIDERS)]
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_the_oracle_shares_no_code_with_the_folds() -> None:
    """Truth and engine are two implementations."""
    files = [path for path in sources("joinstorm") if "oracle" in path.name]
    assert files
    for path in files:
        wrong = [name for name in imported(path) if any(name == m or name.startswith(m + ".") for m in ORACLE_MAY_NOT)]
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"
