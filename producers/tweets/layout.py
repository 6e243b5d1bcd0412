"""The tweets of a whole night as columns of numbers, ordered by id."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from producers.tweets.cascade import Cascade
from producers.tweets.draws import Ints
from streams.errors import ScenarioError

SNOWFLAKE_EPOCH_MS: Final = 1_288_834_974_657
"""The epoch of tweet ids; an id is (ms since it) << 22, plus the number of its maker << 12, plus a sequence number."""
TIME_SHIFT: Final = 22
_MAKER_SHIFT: Final = 12


def snowflake(at: Any, maker: int = 0, sequence: Any = 0) -> Any:
    """Return the tweet id, or ids, of a time or times (ms since the Unix epoch), as integers."""
    return (at - SNOWFLAKE_EPOCH_MS << TIME_SHIFT) + (maker << _MAKER_SHIFT) + sequence


@dataclass(frozen=True)
class Layout:
    """All tweets, some 35 bytes each; ``ref`` and ``root`` are rows of this layout."""

    tweet_id: Ints
    kind: npt.NDArray[np.int8]
    """Index into ``cascade.KINDS``."""
    theme: npt.NDArray[np.int8]
    """Index into ``themes.THEMES``."""
    stance: npt.NDArray[np.int8]
    """Index into ``STANCES``."""
    author: Ints
    ref: npt.NDArray[np.int32]
    """Row of the tweet answered; a post has its own row."""
    root: npt.NDArray[np.int32]
    """Row of the conversation's first tweet."""
    thread: Ints
    """Rows of the thread's own posts, in order."""

    def between(self, start_ms: int, end_ms: int) -> Ints:
        """Return the rows with ``start_ms <= at < end_ms``."""
        first, last = np.searchsorted(
            self.tweet_id, [snowflake(max(t, SNOWFLAKE_EPOCH_MS)) for t in (start_ms, end_ms)]
        )
        return np.arange(first, last)


@dataclass(frozen=True)
class ThemeTweets:
    """The tweets on one theme."""

    theme: int
    cascade: Cascade
    authors: Ints
    own: int = 0
    """How many of the first rows are the thread's own posts."""


def merged_layout(parts: list[ThemeTweets]) -> Layout:
    """Merge the tweets of all themes into one layout.

    Raises:
        ScenarioError: A millisecond has more tweets than ids.
    """
    sizes = [len(part.cascade) for part in parts]
    starts = np.cumsum([0, *sizes[:-1]])
    ids = np.concatenate([_ids(part.cascade.at, part.theme + 1) for part in parts])
    order = np.argsort(ids)
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    ref = np.concatenate([part.cascade.parent + start for part, start in zip(parts, starts, strict=True)])
    root = np.concatenate([part.cascade.root + start for part, start in zip(parts, starts, strict=True)])
    own = np.concatenate([np.arange(start, start + part.own) for part, start in zip(parts, starts, strict=True)])
    return Layout(
        tweet_id=ids[order],
        kind=np.concatenate([part.cascade.kind for part in parts])[order],
        theme=np.repeat(np.array([part.theme for part in parts], np.int8), sizes)[order],
        stance=np.concatenate([part.cascade.stance for part in parts])[order],
        author=np.concatenate([part.authors for part in parts])[order],
        ref=place[ref[order]],
        root=place[root[order]],
        thread=place[own.astype(np.int64)].astype(np.int64),
    )


def _ids(at: Ints, maker: int) -> Ints:
    """Return the ids of one maker; within a millisecond the sequence number distinguishes them."""
    order = np.argsort(at, kind="stable")
    ordered = at[order]
    rank = np.arange(len(at)) - np.searchsorted(ordered, ordered, side="left")
    if len(rank) and rank.max() >= 1 << _MAKER_SHIFT:
        raise ScenarioError(f"tweets: more than {1 << _MAKER_SHIFT} in one millisecond; lower the rates or the scale")
    ids = np.empty_like(at)
    ids[order] = snowflake(ordered, maker, rank)
    return ids
