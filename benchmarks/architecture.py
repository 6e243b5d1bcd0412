"""How the code hangs together, in numbers: modules a folder, arrows between packages, longest functions, shared names.

python -m benchmarks.architecture            # a table a package
python -m benchmarks.architecture --arrows   # and every arrow between two packages
python -m benchmarks.architecture --write docs/architecture.md   # after a decision: allow what is imported now
python -m benchmarks.architecture --draw 10 --seed 7   # lines drawn at random, to see whether a path says what it is
"""

import argparse
import ast
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TOPS: Final = ("streams", "producers", "dashboards", "joinstorm")


def modules() -> dict[str, Path]:
    """Return every module of the four packages by its dotted name; a package stands under its own name."""
    found = {}
    for path in sorted(path for top in TOPS for path in (ROOT / top).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: Mapping[str, Path]) -> set[str]:
    """Return the modules of ours that a file imports, those inside functions included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inside & set(known) or {node.module}
            found |= {node.module} if inside - set(known) else set()
    return found & set(known)


def package(module: str, known: Mapping[str, Path]) -> str:
    """Return the package a module belongs to; a module that lies directly in a top package is a package of its own."""
    if known[module].name == "__init__.py":
        return module
    parent = module.rpartition(".")[0]
    return module if parent in TOPS else parent


def arrows(known: Mapping[str, Path]) -> Counter[tuple[str, str]]:
    """Return how many imports go from one package to another."""
    found: Counter[tuple[str, str]] = Counter()
    for module, path in known.items():
        for other in imports(path, known):
            ends = (package(module, known), package(other, known))
            if ends[0] != ends[1]:
                found[ends] += 1
    return found


def reachable(module: str, known: Mapping[str, Path]) -> set[str]:
    """Return every module that a module imports, directly or through others; a package's ``__init__`` counts as one."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        parts = name.split(".")
        parents = {".".join(parts[:end]) for end in range(1, len(parts))}
        fresh = (imports(known[name], known) | parents & set(known)) - found
        found |= fresh
        waiting.extend(fresh)
    return found


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each function of a file with its number of lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def repeated(known: Mapping[str, Path]) -> dict[str, list[str]]:
    """Return public class names and module names that stand in more than one place of the code."""
    places: dict[str, list[str]] = defaultdict(list)
    for module, path in known.items():
        name = module.rpartition(".")[2]
        if path.name != "__init__.py" and not module.startswith(("joinstorm.commands.", "dashboards.boards.")):
            places[f"{name}.py"].append(module)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    return {name: found for name, found in sorted(places.items()) if len(found) > 1}


def table(known: Mapping[str, Path], found: Counter[tuple[str, str]]) -> list[str]:
    """Return the table of docs/architecture.md as the code is now; there it is what is allowed."""
    lines = ["| package | holds | may import |", "| --- | --- | --- |"]
    for name in sorted({package(module, known) for module in known} - set(TOPS)):
        holds = known[name].read_text().partition('"""')[2].partition('"""')[0].splitlines()[0].rstrip(".")
        targets = ", ".join(
            f"`{target}`" for source, target in sorted(found) if source == name and target != "streams.errors"
        )
        lines.append(f"| `{name}` | {holds} | {targets or '-'} |")
    return lines


def write(page: Path, lines: list[str]) -> None:
    """Replace the table of a page."""
    before, rest = page.read_text().split(f"{lines[0]}\n", 1)
    after = rest[rest.index("\n\n") :]
    page.write_text(before + "\n".join(lines) + after)


def draw(known: Mapping[str, Path], count: int, seed: int) -> list[str]:
    """Return lines drawn at random, each with its path."""
    lines = [
        (path, number, line.strip())
        for path in known.values()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.strip()
    ]
    chosen = random.Random(seed).sample(lines, count)
    return [f"{path.relative_to(ROOT)}:{number}: {line}" for path, number, line in chosen]


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrows", action="store_true", help="list every arrow between two packages")
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="allow in the page's table what the code imports now"
    )
    parser.add_argument("--draw", type=int, default=0, metavar="N", help="draw N lines at random instead")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw")
    options = parser.parse_args()
    known = modules()
    if options.draw:
        print("\n".join(draw(known, options.draw, options.seed)))
        return
    found = arrows(known)
    count = Counter(package(module, known) for module in known)
    print(f"{'package':<32}{'modules':>8}{'to':>5}{'from':>6}")
    for name in sorted(count):
        to, back = (len({ends[1 - side] for ends in found if ends[side] == name}) for side in (0, 1))
        print(f"{name:<32}{count[name]:>8}{to:>5}{back:>6}")
    for top in TOPS:
        inside = [ends for ends in found if all(end.split(".")[0] == top and end != top for end in ends)]
        print(f"{top}: {len(inside)} arrows between its packages")
    longest = max((lines, name, path) for path in known.values() for name, lines in functions(path))
    print(f"longest function: {longest[0]} lines, {longest[1]} in {longest[2].relative_to(ROOT)}")
    for name, where in repeated(known).items():
        print(f"more than once: {name}: {', '.join(where)}")
    if options.write:
        write(options.write, table(known, found))
    if options.arrows:
        for (source, target), imported in sorted(found.items()):
            print(f"{source} -> {target} ({imported})")


if __name__ == "__main__":
    main()
