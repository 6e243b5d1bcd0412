"""The import as a whole: event files in, a tape and the table of its ids out."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from producers.importing import ids, paths
from producers.importing.description import Bounds, space_names, tape_info
from producers.importing.fields import FILE, KIND, POST_KINDS, PRESENCE_KINDS, ROW
from producers.importing.importspec import ImportSpec, check
from producers.importing.posts import Posts, posts
from producers.importing.problems import Problems
from producers.importing.rows import rows
from producers.tape.tapefile import TapeWriter
from producers.tape.tapeformat import BLOCK_ROWS, SCHEMA, TapeInfo
from streams.contract.events import GAVE_UP, ROOM_CLOSED
from streams.contract.topics import PRESENCE, TWEETS
from streams.errors import EventFileError

MOST_WORDS: Final = 100
"""Different clients, reasons and languages a tape keeps; the rarer ones are called ``OTHERS``."""
OTHERS: Final = "other"
AHEAD_MS: Final = 3_600_000
"""Kafka refuses records whose time is further ahead than this."""
_NAMING: Final = (paths.ATTEMPT, paths.JOIN, paths.FAIL)
"""Kinds that must say which room; a leave or drop is from the room one is in."""


@dataclass(frozen=True)
class ImportReport:
    """What an import has made.

    Args:
        tape: The file.
        ids: The table of ids beside it (Parquet: ``kind`` person or post, ``id`` on the tape, ``original``).
        info: What the tape says of itself.
        rows: Rows read, by file; those of kinds that are left out not counted.
        kinds: Events on the tape, by kind.
        put_in: Events among them that the recording did not have, by kind.
        inside_at_end: People still in a room when the recording ends.
        problems: What did not fit, and what was made of it.
    """

    tape: Path
    ids: Path
    info: TapeInfo
    rows: dict[str, int]
    kinds: dict[str, int]
    put_in: dict[str, int]
    inside_at_end: int
    problems: Problems

    def as_json(self) -> dict[str, Any]:
        """Return the same as plain data."""
        return asdict(self) | {
            "tape": str(self.tape),
            "ids": str(self.ids),
            "info": {name: getattr(self.info, name) for name in ("name", "events", "people", "start", "end", "sha256")},
            "problems": {
                kind: {"count": count, "examples": self.problems.examples[kind]}
                for kind, count in self.problems.counts.items()
            },
        }


def import_tape(
    events: Path,
    out: Path,
    spec: ImportSpec,
    *,
    generator: str,
    posts_file: Path | None = None,
    now_ms: int | None = None,
) -> ImportReport:
    """Turn event files into a tape.

    Args:
        events: Presence events, posts, or both.
        out: Where the tape goes; the table of ids goes beside it, ``.ids.parquet`` in place of ``.parquet``.
        spec: How the files are to be read.
        generator: The program that makes the tape.
        posts_file: A second file, of posts.
        now_ms: The time of the import, for events that lie ahead of it; the clock's if not given.

    Raises:
        EventFileError: A file cannot be read or what it says cannot be.
        TapeError: The tape cannot be written.
    """
    check(spec)
    problems = Problems()
    files = [(events, rows(events, spec, problems))]
    if posts_file is not None:
        files.append((posts_file, rows(posts_file, spec.for_posts(), problems, posts=True)))
    whole = pl.concat([frame.with_columns(pl.lit(number).alias(FILE)) for number, (_, frame) in enumerate(files)])
    _refuse_future(whole, [path for path, _ in files], time.time_ns() // 1_000_000 if now_ms is None else now_ms)
    names = ids.different(whole["person"])
    whole = whole.with_columns(person=ids.numbered(whole["person"], names))
    tweets = posts(whole.filter(pl.col(KIND).is_in(POST_KINDS)).sort("at", maintain_order=True), problems)
    walked, legal = _walk(whole.filter(pl.col(KIND).is_in(PRESENCE_KINDS)), names, spec, problems)
    tape = _in_order(legal, tweets.frame)
    seen = Bounds(int(tape["at"][0]), int(tape["at"][-1]), space_names(spec, legal["space"]), len(names))
    info = tape_info(spec, seen, tweets, name=events.name.split(".")[0], generator=generator)
    beside = out.with_name(out.name.removesuffix(".parquet") + ".ids.parquet")
    info = _write(out, tape, info)
    _write_ids(beside, names, tweets)
    return ImportReport(
        tape=out,
        ids=beside,
        info=info,
        rows={str(path): frame.height for path, frame in files},
        kinds=dict(tape.group_by(KIND, maintain_order=True).len().sort(KIND).iter_rows()),
        put_in={kind: count for kind, count in zip(PRESENCE_KINDS, walked.put_in, strict=True) if count},
        inside_at_end=walked.inside(),
        problems=problems,
    )


def _refuse_future(whole: pl.DataFrame, files: list[Path], now_ms: int) -> None:
    ahead = whole.filter(pl.col("at") > now_ms + AHEAD_MS)
    if ahead.height:
        row = ahead.row(0, named=True)
        raise EventFileError(
            f"{files[row[FILE]]}, row {row[ROW]}: its time ({row['at']} ms since 1970) is still to come, which Kafka "
            "refuses; is the unit right (--times)?"
        )


def _walk(
    presence: pl.DataFrame, names: pl.Series, spec: ImportSpec, problems: Problems
) -> tuple[paths.Paths, pl.DataFrame]:
    """Put everybody on a legal path."""
    naming = pl.col(KIND).is_in([PRESENCE_KINDS[kind] for kind in _NAMING])
    space = pl.when(naming).then(pl.col("space").fill_null(spec.space)).otherwise(pl.col("space"))
    presence = presence.with_columns(space=space, client=pl.col("client").fill_null("unknown"))
    spaces = list(space_names(spec, presence["space"]))
    give_up_ms = None if spec.give_up_after is None else round(spec.give_up_after * 1000)
    walked = paths.Paths(paths.recorded(presence, spaces), names, problems, give_up_ms)
    return walked, paths.events(presence, walked.run(), spaces)


def _in_order(presence: pl.DataFrame, tweets: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the tape: in order of time, events of one time as in the files."""
    tweets = tweets.drop("space", "client", "try", "reason", "since_drop_ms")
    both = [presence.with_columns(topic=pl.lit(PRESENCE)), tweets.with_columns(topic=pl.lit(TWEETS))]
    frame = pl.concat(both, how="diagonal")
    if not frame.height:
        raise EventFileError("nothing is left of the recording: every event was left out")
    frame = frame.sort("at", FILE, ROW, maintain_order=True)
    return frame.with_columns(_few(frame[name]) for name in ("client", "reason", "lang"))


def _few(words: pl.Series) -> pl.Series:
    """Keep the words that are used most: a tape has room for some hundred different ones."""
    counts = words.drop_nulls().value_counts(sort=True)
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
    pl.concat(tables).write_parquet(path)


def _table(kind: str, names: pl.Series) -> pl.DataFrame:
    numbers = pl.int_range(len(names), dtype=pl.Int64, eager=True)
    return pl.DataFrame({"kind": pl.repeat(kind, len(names), eager=True), "id": numbers, "original": names})
