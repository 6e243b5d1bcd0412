"""The import as a whole: event files in, a tape and the table of its ids out."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from producers.importing import ids, paths
from producers.importing.description import Bounds, space_names, tape_info
from producers.importing.fields import FILE, KIND, ORDER, POST_KINDS, PRESENCE_KINDS, ROW
from producers.importing.importreport import ImportReport, accounts
from producers.importing.importspec import ImportSpec, check
from producers.importing.nightlength import check_length, outliers
from producers.importing.people import read_people
from producers.importing.posts import Posts, posts
from producers.importing.problemlog import ProblemLog
from producers.importing.rows import FileRows, read_rows
from producers.tape.tapefile import TapeWriter
from producers.tape.tapeformat import BLOCK_ROWS, SCHEMA, TapeInfo
from streams.contract.events import GAVE_UP, ROOM_CLOSED
from streams.contract.topics import PRESENCE, TWEETS
from streams.errors import EventFileError, TapeError

MOST_WORDS: Final = 100
"""Different clients, reasons and languages a tape keeps; the rarer ones are called ``OTHERS``."""
OTHERS: Final = "other"
AHEAD_MS: Final = 3_600_000
"""Kafka refuses records whose time is further ahead than this."""
LONGEST_RECORD: Final = (4 << 20) - (64 << 10)
"""Bytes of JSON one event may take: what every producer client sends, less what a batch and the other fields need."""
_NAMING: Final = (paths.ATTEMPT, paths.JOIN, paths.FAIL)
"""Kinds that must name a room; a leave or drop is from the room the listener is in."""
_ESCAPED: Final = 6
"""Bytes of JSON a byte of text takes at most."""


@dataclass(frozen=True)
class ImportRequest:
    """What is to be imported.

    Args:
        events: Presence events, posts, or both.
        out: Where the tape goes; the table of ids goes next to it, ``.ids.parquet`` in place of ``.parquet``.
        spec: How the files are to be read.
        posts: A second file, of posts.
        people: A table of people who go by several ids.
        now_ms: The time of the import, for events that lie ahead of it; the clock's if not given.
    """

    events: Path
    out: Path
    spec: ImportSpec
    posts: Path | None = None
    people: Path | None = None
    now_ms: int | None = None

    @property
    def ids(self) -> Path:
        """The table of ids."""
        return self.out.with_name(self.out.name.removesuffix(".parquet") + ".ids.parquet")

    def inputs(self) -> list[Path]:
        """Return the files that are read."""
        return [path for path in (self.events, self.posts, self.people) if path is not None]


def import_tape(request: ImportRequest, *, generator: str) -> ImportReport:
    """Turn event files into a tape.

    Raises:
        EventFileError: A file cannot be read, its rows cannot be, or the tape would overwrite it.
        TapeError: The tape cannot be written.
    """
    refuse_overwriting([request.out, request.ids], request.inputs())
    try:
        return _imported(request, generator)
    except pl.exceptions.PanicException as error:
        raise EventFileError(f"{request.events}: a value breaks the data frame library: {error}") from None


def refuse_overwriting(written: Sequence[Path], read: Sequence[Path]) -> None:
    """Raise EventFileError if a file that is written is one of those that are read, under whatever name."""
    for out in written:
        for path in read:
            if out.exists() and path.exists() and out.samefile(path):
                raise EventFileError(f"{out} would overwrite {path}, which is read; choose another --out")


def _imported(request: ImportRequest, generator: str) -> ImportReport:
    spec = check(request.spec)
    problems = ProblemLog()
    files = _files(request, problems)
    whole = pl.concat([file.frame.with_columns(pl.lit(number).alias(FILE)) for number, file in enumerate(files)])
    now_ms = time.time_ns() // 1_000_000 if request.now_ms is None else request.now_ms
    _refuse_future(whole, files, now_ms)
    _refuse_huge(whole, files)
    names = ids.different(whole["person"])
    whole = whole.with_columns(person=ids.numbered(whole["person"], names))
    tweets = posts(whole.filter(pl.col(KIND).is_in(POST_KINDS)).sort("at", maintain_order=True), problems)
    walk, legal = _walk(whole.filter(pl.col(KIND).is_in(PRESENCE_KINDS)), names, spec, problems)
    tape = _in_order(legal, tweets.frame)
    seen = Bounds(int(tape["at"][0]), int(tape["at"][-1]), space_names(spec, legal["space"]), len(names))
    info = tape_info(spec, seen, tweets, name=request.events.name.split(".")[0], generator=generator)
    named = outliers(whole, [file.path for file in files])
    warnings = check_length(info.start, info.end, named, allow_long=spec.allow_long)
    warnings += [line for file in files for line in file.doubts()]
    account = accounts(files, tape, problems)
    info = _write(request.out, tape, info)
    _write_ids(request.ids, names, tweets)
    return ImportReport(
        tape=request.out,
        ids=request.ids,
        info=info,
        files=account,
        kinds=dict(tape.group_by(KIND, maintain_order=True).len().sort(KIND).iter_rows()),
        put_in={kind: count for kind, count in zip(PRESENCE_KINDS, walk.put_in, strict=True) if count},
        inside_at_end=walk.inside(),
        problems=problems,
        warnings=tuple(warnings),
    )


def _files(request: ImportRequest, problems: ProblemLog) -> list[FileRows]:
    people = {} if request.people is None else read_people(request.people)
    files = [read_rows(request.events, request.spec, problems, people=people)]
    if request.posts is not None:
        spec = request.spec.for_posts()
        files.append(read_rows(request.posts, spec, problems, people=people, file=1, posts=True))
    return files


def _refuse_future(whole: pl.DataFrame, files: Sequence[FileRows], now_ms: int) -> None:
    ahead = whole.filter(pl.col("at") > now_ms + AHEAD_MS)
    if ahead.height:
        row = ahead.row(0, named=True)
        raise EventFileError(
            f"{files[row[FILE]].path}, row {row[ROW]}: its time ({row['at']} ms since 1970) is still to come, which "
            "Kafka refuses; is the unit right (--times)?"
        )


def _refuse_huge(whole: pl.DataFrame, files: Sequence[FileRows]) -> None:
    """Refuse an event that no topic takes; JSON makes texts longer, so the long ones are measured as JSON."""
    words = ("space", "client", "reason", "text", "lang")
    size = pl.sum_horizontal(pl.col(name).str.len_bytes().fill_null(0) for name in words)
    tags = pl.col("hashtags").list.eval(pl.element().str.len_bytes() + 3).list.sum().fill_null(0)
    for row in whole.filter((size + tags) * _ESCAPED > LONGEST_RECORD).iter_rows(named=True):
        length = len(msgspec.json.encode([row[name] for name in (*words, "hashtags")]))
        if length > LONGEST_RECORD:
            raise EventFileError(
                f"{files[row[FILE]].path}, row {row[ROW]}: the event takes {length:,} bytes as JSON, at most "
                f"{LONGEST_RECORD:,} can be sent; shorten its text"
            )


def _walk(
    presence: pl.DataFrame, names: pl.Series, spec: ImportSpec, problems: ProblemLog
) -> tuple[paths.PathWalk, pl.DataFrame]:
    """Put each listener on a legal path."""
    naming = pl.col(KIND).is_in([PRESENCE_KINDS[kind] for kind in _NAMING])
    space = pl.when(naming).then(pl.col("space").fill_null(spec.space)).otherwise(pl.col("space"))
    presence = presence.with_columns(space=space, client=pl.col("client").fill_null("unknown"))
    spaces = list(space_names(spec, presence["space"]))
    give_up_ms = None if spec.give_up_after is None else round(spec.give_up_after * 1000)
    walk = paths.PathWalk(paths.recorded(presence, spaces), names, problems, give_up_ms)
    return walk, paths.events(presence, walk.run(), spaces)


def _in_order(presence: pl.DataFrame, tweets: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the tape: in order of time, events of one time as in the files."""
    tweets = tweets.drop("space", "client", "try", "reason", "since_drop_ms")
    both = [presence.with_columns(topic=pl.lit(PRESENCE)), tweets.with_columns(topic=pl.lit(TWEETS))]
    frame = pl.concat(both, how="diagonal")
    if not frame.height:
        raise EventFileError("nothing is left of the recording: every event was left out")
    frame = frame.sort("at", FILE, ORDER, maintain_order=True)
    return frame.with_columns(_few(frame[name]) for name in ("client", "reason", "lang"))


def _few(words: pl.Series) -> pl.Series:
    """Keep the words that are used most: a tape has room for some hundred different ones."""
    counts = words.drop_nulls().value_counts().sort("count", words.name, descending=[True, False])
    kept = counts[words.name].head(MOST_WORDS).append(pl.Series([GAVE_UP, ROOM_CLOSED]))
    return (
        words.set(words.is_not_null() & ~words.is_in(kept.implode()), OTHERS) if counts.height > MOST_WORDS else words
    )


def _write(out: Path, frame: pl.DataFrame, info: TapeInfo) -> TapeInfo:
    frame = frame.with_columns(event_id=pl.lit(None, pl.Int64)).select(SCHEMA.names)
    with TapeWriter(out) as writer:
        for block in frame.iter_slices(BLOCK_ROWS):
            writer.append(block.to_arrow())
        return writer.finish(info)


def _write_ids(path: Path, people: pl.Series, tweets: Posts) -> None:
    tables = [_table("person", people)]
    if tweets.names is not None:
        tables.append(_table("post", tweets.names))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        pl.concat(tables).write_parquet(part)
        part.replace(path)
    except OSError as error:
        raise TapeError(f"{path}: cannot be written: {error}") from None
    finally:
        part.unlink(missing_ok=True)


def _table(kind: str, names: pl.Series) -> pl.DataFrame:
    numbers = pl.int_range(len(names), dtype=pl.Int64, eager=True)
    return pl.DataFrame({"kind": pl.repeat(kind, len(names), eager=True), "id": numbers, "original": names})
