"""The posts of a recording: ids the tape can hold, the conversation each belongs to, hashtags from the text."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from producers.importing import ids
from producers.importing.fields import FILE, ROW
from producers.importing.problemlog import LONG_TAG, POST_TWICE, ProblemLog

UNKNOWN_LANGUAGE: Final = "und"
"""The standard's code for a language that is not known."""
_TAG: Final = r"#(\w+)"
LONGEST_TAG: Final = 200
"""Letters of a hashtag: it is part of a name in the results."""
_IDS: Final = ("tweet_id", "conversation", "ref")


@dataclass(frozen=True)
class Posts:
    """The posts of a recording as a tape has them.

    Args:
        frame: Rows in order of time, ids as numbers.
        names: The ids in the file by number; None where the ids are the numbers themselves.
    """

    frame: pl.DataFrame
    names: pl.Series | None

    def number(self, original: str) -> int | None:
        """Return the number of an id of the file, None where it is in no post."""
        if self.names is None:
            return int(original) if ids.whole(pl.Series([original])) else None
        return self.names.index_of(original)


def posts(rows: pl.DataFrame, problems: ProblemLog) -> Posts:
    """Complete the rows of posts.

    A post without an id gets one of its own. A post without a conversation belongs to that of the post it refers to,
    else to its own. Without hashtags (a null list) they are taken from the text. Of posts with one id the first is
    kept.
    """
    own = pl.format("file {} row {}", FILE, ROW)
    frame = rows.with_columns(
        tweet_id=pl.col("tweet_id").fill_null(own),
        text=pl.col("text").fill_null(""),
        lang=pl.col("lang").fill_null(UNKNOWN_LANGUAGE),
    )
    frame = _once(frame, problems)
    frame = frame.with_columns(pl.Series("conversation", _conversations(frame), dtype=pl.String))
    frame = frame.with_columns(hashtags=frame["hashtags"].fill_null(_tags(frame["text"])))
    return _numbered(_without_long_tags(frame, problems))


def _tags(texts: pl.Series) -> pl.Series:
    """Return the hashtags in texts, each once, in lower case."""
    found = texts.str.extract_all(_TAG).to_list()
    lower = [list(dict.fromkeys(tag[1:].lower() for tag in tags)) for tags in found]
    return pl.Series(lower, dtype=pl.List(pl.String))


def _without_long_tags(frame: pl.DataFrame, problems: ProblemLog) -> pl.DataFrame:
    """Leave out hashtags that no record of results has room for."""
    longest = pl.col("hashtags").list.eval(pl.element().str.len_chars()).list.max()
    for row, length in frame.select(ROW, length=longest).filter(pl.col("length") > LONGEST_TAG).iter_rows():
        problems.add(LONG_TAG, f"row {row}, {length} letters")
    short = pl.element().filter(pl.element().str.len_chars() <= LONGEST_TAG)
    return frame.with_columns(pl.col("hashtags").list.eval(short))


def _once(frame: pl.DataFrame, problems: ProblemLog) -> pl.DataFrame:
    first = frame["tweet_id"].is_first_distinct()
    for file, row, name in frame.filter(~first).select(FILE, ROW, "tweet_id").iter_rows():
        problems.leave_out(POST_TWICE, f"row {row}, post {name!r}", file, row)
    return frame.filter(first)


def _conversations(frame: pl.DataFrame) -> list[str]:
    """Follow references back: what is referred to came before, or is not in the file and stands for itself."""
    known: dict[str, str] = {}
    for own, given, ref in frame.select(_IDS).iter_rows():
        known[own] = given or (own if ref is None else known.get(ref, ref))
    return list(known.values())


def _numbered(frame: pl.DataFrame) -> Posts:
    names = ids.different(pl.concat([frame[name] for name in _IDS]))
    if ids.whole(names):
        return Posts(frame.with_columns(pl.col(name).cast(pl.Int64) for name in _IDS), None)
    return Posts(frame.with_columns(ids.numbered(frame[name], names) for name in _IDS), names)
