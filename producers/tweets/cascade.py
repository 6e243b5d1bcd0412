"""How tweets draw tweets: replies, quotes and reposts, each some time after what it answers."""

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from producers.scenario.tweetspec import CascadeSpec
from producers.tweets.draws import MILLI, Draws, Ints, delays_ms, popularity_milli
from streams.contract.events import TweetKind

KINDS: Final = tuple(TweetKind)
POST, REPLY, QUOTE, REPOST = range(4)
_WEIGHT: Final = np.array([1.0, 0.25, 0.5, 0.0])
"""How far a post, reply, quote, repost goes, relative to a post; whoever shares a repost shares its original."""

Bytes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Family:
    """Tweets and what they answer, as columns: an original is before its answers in time and in the columns."""

    at: Ints
    kind: Bytes
    """Index into ``KINDS``."""
    stance: Bytes
    """Index into ``STANCES``."""
    parent: Ints
    """Row of the tweet replied to, quoted or reposted; its own row on a post."""
    root: Ints
    """Row of the conversation's first tweet."""

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def joined(cls, parts: "list[Family]") -> Self:
        """Return the rows of all parts; rows already count from the first part's beginning."""
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)})


@dataclass(frozen=True)
class Pull:
    """What a set of tweets draws: mean numbers per row and kind of answer, and the delays' quantiles (ms)."""

    means: dict[int, npt.NDArray[np.float64]]
    delays: Ints


def posts(at: Ints, mix: tuple[int, ...], draws: Draws) -> Family:
    """Return posts at these times, their stances drawn by weight."""
    rows = np.arange(len(at), dtype=np.int64)
    return Family(at, np.zeros(len(at), np.int8), stances(mix, draws, len(at)), rows, rows)


def stances(mix: tuple[int, ...], draws: Draws, size: int) -> Bytes:
    """Draw stances by weight."""
    upto = np.cumsum(mix)
    return np.searchsorted(upto, draws.below("stance", int(upto[-1]), size), side="right").astype(np.int8)


def grow(
    first: Family, mix: tuple[int, ...], spec: CascadeSpec, end: int, draws: Draws, pull: Pull | None = None
) -> Family:
    """Add everything the first tweets draw before ``end`` (ms), answers to answers included.

    Args:
        first: Tweets whose rows count from 0.
        mix: Weights of the stances of those who answer with a view of their own.
        spec: Numbers, delays and echo.
        end: What would come at or after it is left out.
        draws: Chance.
        pull: What the first tweets draw, where that is not what ``spec`` says.

    Returns:
        ``first`` and its descendants, not in time order.
    """
    generations = [first]
    base = 0
    while len(generations[-1]):
        newest, part = generations[-1], draws.at(str(len(generations)))
        drawn = pull if pull is not None and len(generations) == 1 else _pull(newest, spec, part)
        children = _answers(newest, drawn, mix, spec, end, part)
        generations.append(_placed(children, base, base + len(newest)))
        base += len(newest)
    return Family.joined(generations)


def _pull(rows: Family, spec: CascadeSpec, draws: Draws) -> Pull:
    """A popularity of mean 1 per tweet times the spec's means."""
    table = popularity_milli(spec.popularity_tail)
    reach = table[draws.below("popularity", len(table), len(rows))] * _WEIGHT[rows.kind] / MILLI
    means = {REPLY: reach * spec.replies, QUOTE: reach * spec.quotes, REPOST: reach * spec.reposts}
    return Pull(means, delays_ms(spec.median_minutes, spec.tail))


def _answers(rows: Family, pull: Pull, mix: tuple[int, ...], spec: CascadeSpec, end: int, draws: Draws) -> Family:
    """The next generation; its parents are rows of this one, to be placed."""
    parts = [_answers_of_kind(rows, kind, pull, end, draws.at(KINDS[kind])) for kind in (REPLY, QUOTE, REPOST)]
    found = Family.joined(parts)
    same = (found.kind == REPOST) | (draws.uniform("echo", len(found)) < spec.echo)
    own = stances(mix, draws, len(found))
    return Family(found.at, found.kind, np.where(same, found.stance, own).astype(np.int8), found.parent, found.root)


def _answers_of_kind(rows: Family, kind: int, pull: Pull, end: int, draws: Draws) -> Family:
    mean = pull.means[kind]
    count = np.floor(mean + draws.uniform("count", len(rows))).astype(np.int64)
    parent = np.repeat(np.arange(len(rows), dtype=np.int64), count)
    delay = pull.delays[draws.below("delay", len(pull.delays), len(parent))]
    at = rows.at[parent] + delay + draws.below("ms", MILLI, len(parent))
    parent, at = parent[at < end], at[at < end]
    return Family(at, np.full(len(at), kind, np.int8), rows.stance[parent], parent, rows.root[parent])


def _placed(children: Family, parents_from: int, from_row: int) -> Family:
    """Rows of parents count from ``parents_from``; a quote begins a conversation of its own."""
    rows = np.arange(from_row, from_row + len(children), dtype=np.int64)
    root = np.where(children.kind == QUOTE, rows, children.root)
    return Family(children.at, children.kind, children.stance, children.parent + parents_from, root)
