"""Nights ready to be scored: sampled once per tape and version of the code, kept in the cache folder."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from joinstorm.alerts.nightsamples import write_samples
from producers.recording import record
from producers.scenario.spec import Scenario
from producers.tape.tapefile import Tape
from streams.system.cache import cache_folder
from streams.system.scratch import scratch

ROOT: Final = Path(__file__).parents[2]
DECIDING: Final = (
    "producers/**/*.py",
    "producers/**/*.yaml",
    "streams/contract/*.py",
    "streams/effect/*.py",
    "streams/exporter/samples.py",
    "streams/metrics/labels.py",
    "streams/metrics/metric.py",
    "streams/metrics/definitions.py",
    "streams/read/*.py",
    "joinstorm/oracle/*.py",
    "joinstorm/prometheus/nightcolumns.py",
    "joinstorm/prometheus/backfill.py",
    "joinstorm/alerts/nightsamples.py",
)
"""The files that decide a night's samples, from the scenario to the columns."""
_UNUSED_SECONDS: Final = 7 * 86_400


@dataclass(frozen=True)
class NightSource:
    """Where a night comes from: a tape, or a scenario to record.

    Args:
        tape: A tape; in its place a scenario.
        scenario: A scenario.
        scale: Its size.
        seed: Which of all such nights; None for the scenario's own.
    """

    tape: Path | None = None
    scenario: Scenario | None = None
    scale: float = 1.0
    seed: int | None = None


@cache
def code_digest() -> str:
    """Return the digest of the code that decides a night's samples."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in DECIDING for path in ROOT.glob(pattern)}):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def samples_of(source: NightSource, step: int, folder: Path | None = None) -> Path:
    """Return the file with a night's samples, made now if it is not in the cache.

    Args:
        source: The night.
        step: Milliseconds between samples.
        folder: The cache; the user's if not given.

    Raises:
        ScenarioError: The scenario cannot be simulated.
        TapeError: The tape cannot be read.
    """
    known = known_samples(source, step, folder)
    if known is not None:
        return known
    home = _home(folder)
    if source.tape is not None:
        return _sampled(home, source.tape, step)
    if source.scenario is None:
        raise AssertionError("a night is of a tape or of a scenario")
    with scratch("night") as work:
        tape = record(source.scenario, work / "tape.parquet", scale=source.scale, seed=source.seed).path
        found = _sampled(home, tape, step)
        (work / "note").write_text(Tape.open(tape).info.sha256)
        shutil.move(work / "note", _note(home, source))
    return found


def known_samples(source: NightSource, step: int, folder: Path | None = None) -> Path | None:
    """Return the file with a night's samples if it is in the cache.

    Raises:
        TapeError: The tape cannot be read.
    """
    home = _home(folder)
    if source.tape is not None:
        place = _place(home, Tape.open(source.tape).info.sha256, step)
    elif (note := _note(home, source)).is_file():
        place = _place(home, note.read_text(), step)
    else:
        return None
    return place if place.is_file() else None


def _note(home: Path, source: NightSource) -> Path:
    """Return the file that has the hash of a scenario's tape."""
    identity = msgspec.json.encode([source.scenario, source.scale, source.seed])
    return home / f"{hashlib.sha256(identity).hexdigest()[:32]}.tape"


def _home(folder: Path | None) -> Path:
    """Return the folder of this version of the code; those of others are removed when long unused."""
    above = folder or cache_folder(os.environ) / "nights"
    home = above / code_digest()
    home.mkdir(parents=True, exist_ok=True)
    os.utime(home)
    for other in above.iterdir():
        if other.is_dir() and home.stat().st_mtime - other.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
    return home


def _sampled(home: Path, tape: Path, step: int) -> Path:
    place = _place(home, Tape.open(tape).info.sha256, step)
    if not place.is_file():
        write_samples(tape, place, step)
    return place


def _place(home: Path, sha256: str, step: int) -> Path:
    return home / f"{sha256[:32]}-{step}.parquet"
