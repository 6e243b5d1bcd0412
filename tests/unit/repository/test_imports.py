"""The architecture as docs/architecture.md has it: its table of packages is the list of what each may import."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from benchmarks.architecture import arrows, imports, modules, package, reachable

ROOT: Final = Path(__file__).parents[3]
KNOWN: Final = modules()
PACKAGES: Final = sorted({package(module, KNOWN) for module in KNOWN})
EVERYBODY_MAY: Final = frozenset({"streams.errors"})
FOLDS: Final = ("streams.fold", "streams.kernels", "streams.checkpoint", "streams.engines")
"""What the oracle must not reach: it is a second implementation of the counts."""


def table() -> dict[str, tuple[str, frozenset[str]]]:
    """Return the rows of the page's table: what a package holds and which packages it may import."""
    lines = (ROOT / "docs" / "architecture.md").read_text().splitlines()
    begin = lines.index("| package | holds | may import |") + 2
    rows = {}
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        name, holds, allowed = (cell.strip() for cell in line.strip("|").split("|"))
        rows[name.strip("`")] = (holds, frozenset(part.strip(" `") for part in allowed.split(",") if part.strip(" `-")))
    return rows


def cycle(edges: Iterable[tuple[str, str]]) -> list[str]:
    """Return packages that import each other in a circle; empty when there are none."""
    left = set(edges)
    while True:
        sources = {source for source, _ in left}
        ends = {edge for edge in left if edge[1] not in sources}
        if not ends:
            return sorted(sources)
        left -= ends


def test_the_page_names_every_package_with_what_it_holds() -> None:
    """The table has each package once, in order, with the first line of its docstring."""
    rows = table()
    named = [name for name in PACKAGES if name not in {"streams", "producers", "dashboards", "joinstorm"}]
    assert sorted(rows) == named
    for name, (holds, _) in rows.items():
        text = KNOWN[name].read_text().partition('"""')[2].partition('"""')[0].splitlines()[0]
        assert holds == text.rstrip("."), f"{name}: the page says {holds!r}, the code {text!r}"


def test_no_package_imports_what_the_page_does_not_allow() -> None:
    """A new arrow between packages is a decision: it is written into the table, or it fails here."""
    rows = table()
    for source, target in sorted(arrows(KNOWN)):
        assert target in rows[source][1] | EVERYBODY_MAY, (
            f"{source} imports {target}: docs/architecture.md does not allow it"
        )


def test_the_page_allows_nothing_that_nobody_needs() -> None:
    """An arrow that is gone leaves the table, too."""
    found = set(arrows(KNOWN))
    stale = {(name, other) for name, (_, allowed) in table().items() for other in allowed} - found
    assert not stale, f"allowed and not used: {sorted(stale)}"


def test_packages_have_no_cycle() -> None:
    """Imports between packages go one way."""
    assert cycle(arrows(KNOWN)) == []


@pytest.mark.parametrize(("source", "target"), [("a", "b"), ("b", "c"), ("c", "a")])
def test_a_cycle_is_found(source: str, target: str) -> None:
    """The check above sees a circle of three, and none once one arrow is missing."""
    circle = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]
    assert cycle(circle) == ["a", "b", "c"]
    assert cycle(edge for edge in circle if edge != (source, target)) == []


def test_the_oracle_shares_no_code_with_the_folds() -> None:
    """Nothing that a module of the oracle imports, directly or through others, is a fold, a checkpoint or an engine."""
    oracle = [module for module in KNOWN if module.startswith("joinstorm.oracle")]
    assert oracle
    for module in oracle:
        wrong = sorted(name for name in reachable(module, KNOWN) if name.startswith(FOLDS))
        assert not wrong, f"{module} reaches {wrong}"


def test_a_way_through_other_modules_is_found() -> None:
    """Reaching is transitive: the worker of Faust reaches the fold through its partitions."""
    assert "streams.fold.audience" not in imports(KNOWN["streams.engines.faust.worker"], KNOWN)
    assert "streams.fold.audience" in reachable("streams.engines.faust.worker", KNOWN)


def test_modules_import_by_full_names() -> None:
    """No relative imports: a line says by itself what it reaches for."""
    for module, path in KNOWN.items():
        assert "\nfrom ." not in path.read_text(), module
