"""Differential fuzz: strange records in strange batches, counted by every engine's own code and by a naive oracle.

    python -m benchmarks.fuzz --records 5000000 --seed 1

Each round makes one fetch of one partition from the seed and its own number: events, marks and damaged values in record
batches of all compressions, with headers, odd keys and times, committed and aborted transactions. Every engine must
put the same records aside for the same reasons and count the same. Exit code 1 at the first disagreement or crash,
which `--round` repeats.
"""

import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import NamedTuple

import click
from msgspec.structs import replace

from benchmarks.fuzzing.engines import ENGINES, Counting, Outcome, expected
from benchmarks.fuzzing.fetches import Fetch, fetch
from benchmarks.fuzzing.values import value
from streams.contract.topics import PRESENCE, TWEETS
from tests.oracle import long_night

INFO = replace(long_night(), events=5_000, people=400)
MUTATED = (0.0, 0.002, 0.02, 0.2, 0.7)
"""Shares of records that are mutated: in the fast paths of an engine, damage must be rare to matter."""


class Round(NamedTuple):
    """What one round showed."""

    number: int
    topic: str
    records: int
    fetched: Fetch
    fault: str
    """The first disagreement; empty if there is none."""


def rounds(seed: int, engines: tuple[str, ...], first: int = 0) -> Iterator[Round]:
    """Yield rounds for ever, from the one with number ``first`` on."""
    for number in count(first):
        random = Random(f"{seed}/{number}")
        topic, mutated = random.choice((PRESENCE, TWEETS)), random.choice(MUTATED)
        fetched = fetch(random, lambda: value(random, INFO, topic, mutated))  # noqa: B023 - called at once
        wanted = expected(INFO, topic, fetched)
        faults = (_fault(name, ENGINES[name], topic, fetched, wanted) for name in engines)
        yield Round(number, topic, fetched.next_offset, fetched, next(filter(None, faults), ""))


def _fault(name: str, counting: Counting, topic: str, fetched: Fetch, wanted: Outcome) -> str:
    try:
        found = counting(INFO, topic, fetched)
    except Exception as error:  # noqa: BLE001 - whatever a record can do to an engine is what is looked for
        return f"{name}: {type(error).__name__}: {error}"
    for what, one, other in zip(Outcome._fields, found, wanted, strict=True):
        if one != other:
            return f"{name}: {what}: {difference(one, other)}"
    return ""


def difference(found: object, wanted: object) -> str:
    """Return where two parts of outcomes differ, in one line."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        key = min(key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key))
        return f"{key}: expected {wanted.get(key)}, found {found.get(key)}"
    if isinstance(found, list) and isinstance(wanted, list):
        return f"expected {sorted(set(wanted) - set(found))[:3]}, found {sorted(set(found) - set(wanted))[:3]}"
    return f"expected {wanted}, found {found}"


@click.command()
@click.option("--records", type=click.IntRange(1), default=100_000, help="Records after which to stop.")
@click.option("--seed", type=click.IntRange(0), default=1, help="Seed of all rounds.")
@click.option("--engine", "engines", type=click.Choice(list(ENGINES)), multiple=True, help="Engines; all by default.")
@click.option("--round", "first", type=click.IntRange(0), default=0, help="Number of the first round.")
@click.option("--keep", type=click.Path(path_type=Path), help="File for the batches of a round that failed.")
def main(records: int, seed: int, engines: tuple[str, ...], first: int, keep: Path | None) -> None:
    """Fuzz until enough records have been compared or an engine disagrees."""
    begun, seen, aborted = time.monotonic(), 0, 0
    for one in rounds(seed, engines or tuple(ENGINES), first):
        seen += one.records
        aborted += len(one.fetched.aborted)
        if one.fault:
            print(f"--seed {seed} --round {one.number}: {one.topic}: {one.fault}")
            if keep is not None:
                keep.write_bytes(one.fetched.data)
            sys.exit(1)
        if seen >= records:
            break
    seconds = time.monotonic() - begun
    print(f"{seen:,} records in {one.number + 1 - first:,} rounds, {aborted:,} aborted transactions: no disagreement")
    print(f"{seen / seconds:,.0f} records/s, {seconds:.1f} s")


if __name__ == "__main__":
    main()
