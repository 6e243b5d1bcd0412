"""Cascades: tweets draw replies, quotes and reposts, each some time after the tweet it answers."""

from dataclasses import dataclass, fields, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from producers.scenario.tweetspec import CascadeSpec
from producers.tweets.draws import MILLI, Draws, Ints, delays_ms, popularity_milli
from streams.contract.events import TweetKind

KINDS: Final = tuple(TweetKind)
POST, REPLY, QUOTE, REPOST = range(4)
_WEIGHT: Final = np.array([1.0, 0.25, 0.5, 0.0])
"""Reach of a post, reply, quote and repost, relative to a post; sharing a repost shares its original."""

Bytes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Cascade:
    """Tweets and their answers, as columns; every tweet precedes its answers in time and in the columns."""

    at: Ints
    kind: Bytes
    """Index into ``KINDS``."""
    stance: Bytes
    """Index into ``STANCES``."""
    parent: Ints
    """Row of the tweet replied to, quoted or reposted; a post has its own row."""
    root: Ints
    """Row of the conversation's first tweet."""

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def joined(cls, parts: "list[Cascade]") -> Self:
        """Return the rows of all parts; ``parent`` and ``root`` already count from the start of the first part."""
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)})


@dataclass(frozen=True)
class ExpectedAnswers:
    """The answers that tweets draw: mean numbers by kind and row, and the quantiles of their delays (ms)."""

    means: dict[int, npt.NDArray[np.float64]]
    delays: Ints


def posts(at: Ints, mix: tuple[int, ...], draws: Draws) -> Cascade:
    """Return posts at these times, with stances drawn by weight."""
    rows = np.arange(len(at), dtype=np.int64)
    return Cascade(at, np.zeros(len(at), np.int8), stances(mix, draws, len(at)), rows, rows)


def stances(mix: tuple[int, ...], draws: Draws, size: int) -> Bytes:
    """Draw stances by weight."""
    upto = np.cumsum(mix)
    return np.searchsorted(upto, draws.below("stance", int(upto[-1]), size), side="right").astype(np.int8)


def grow(
    first: Cascade,
    mix: tuple[int, ...],
    spec: CascadeSpec,
    end: int,
    draws: Draws,
    expected: ExpectedAnswers | None = None,
) -> Cascade:
    """Add all answers before ``end`` (ms), answers to answers included.

    Args:
        first: Tweets whose rows count from 0.
        mix: Weights of the stances of answers that do not echo.
        spec: Numbers, delays and echo.
        end: Answers at or after this event time are left out.
        draws: Random numbers.
        expected: The answers that the first tweets draw, if not those of ``spec``.

    Returns:
        ``first`` and its descendants, not in time order.
    """
    generations = [first]
    base = 0
    while len(generations[-1]):
        newest, part = generations[-1], draws.at(str(len(generations)))
        given = expected if len(generations) == 1 else None
        children = _answers(newest, given or _expected(newest, spec, part), mix, spec, end, part)
        generations.append(_placed(children, base, base + len(newest)))
        base += len(newest)
    return Cascade.joined(generations)


def _expected(rows: Cascade, spec: CascadeSpec, draws: Draws) -> ExpectedAnswers:
    """Return the spec's means times a popularity of mean 1 per tweet."""
    table = popularity_milli(spec.popularity_tail)
    reach = table[draws.below("popularity", len(table), len(rows))] * _WEIGHT[rows.kind] / MILLI
    means = {REPLY: reach * spec.replies, QUOTE: reach * spec.quotes, REPOST: reach * spec.reposts}
    return ExpectedAnswers(means, delays_ms(spec.median_minutes, spec.tail))


def _answers(
    rows: Cascade, expected: ExpectedAnswers, mix: tuple[int, ...], spec: CascadeSpec, end: int, draws: Draws
) -> Cascade:
    """Return the next generation; its parents are rows of this one."""
    parts = [_answers_of_kind(rows, kind, expected, end, draws.at(KINDS[kind])) for kind in (REPLY, QUOTE, REPOST)]
    answers = Cascade.joined(parts)
    echoes = (answers.kind == REPOST) | (draws.uniform("echo", len(answers)) < spec.echo)
    own = stances(mix, draws, len(answers))
    return replace(answers, stance=np.where(echoes, answers.stance, own).astype(np.int8))


def _answers_of_kind(rows: Cascade, kind: int, expected: ExpectedAnswers, end: int, draws: Draws) -> Cascade:
    mean = expected.means[kind]
    count = np.floor(mean + draws.uniform("count", len(rows))).astype(np.int64)
    parent = np.repeat(np.arange(len(rows), dtype=np.int64), count)
    delay = expected.delays[draws.below("delay", len(expected.delays), len(parent))]
    at = rows.at[parent] + delay + draws.below("ms", MILLI, len(parent))
    parent, at = parent[at < end], at[at < end]
    return Cascade(at, np.full(len(at), kind, np.int8), rows.stance[parent], parent, rows.root[parent])


def _placed(children: Cascade, parents_from: int, from_row: int) -> Cascade:
    """Number the rows from ``from_row`` and their parents from ``parents_from``; a quote begins a conversation."""
    rows = np.arange(from_row, from_row + len(children), dtype=np.int64)
    root = np.where(children.kind == QUOTE, rows, children.root)
    return Cascade(children.at, children.kind, children.stance, children.parent + parents_from, root)
