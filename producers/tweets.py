"""The tweets of a night, chunk by chunk in time order: who wrote what, in answer to what, and what it meant.

What is written about (``tweetrates``) and what answers it (``cascade``) is laid out for the whole night at once, as
columns of numbers (some 35 bytes a tweet); texts are made chunk by chunk. Each topic draws from generators of its own
name, so the night without the announcement is this night less what came of it, tweet for tweet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from producers import grammar
from producers.cascade import KINDS, POST, QUOTE, REPLY, REPOST, Family, Pull, grow, posts
from producers.grammar import Wording
from producers.night import Night
from producers.tapeformat import SCHEMA
from producers.tweetdraws import Draws, Ints, delays_ms
from producers.tweetrates import ANNOUNCEMENT, LAUNCH, MIXES, SUBJECTS, THREAD, Topic, times, topics
from producers.tweetspec import TweetSpec
from streams.errors import ScenarioError
from streams.results import STANCES
from streams.runinfo import SubjectRule
from streams.topics import TWEETS

SNOWFLAKE_EPOCH_MS: Final = 1_288_834_974_657
"""The ids' own epoch; an id is (ms since it) << 22, the number of its maker << 12, and a sequence number."""
TIME_SHIFT: Final = 22
MAKER_SHIFT: Final = 12
THREAD_NUMBER: Final = 7
_REGISTER_OF: Final = np.array([0, *range(6), 6, 6], dtype=np.int64)
"""Index into ``grammar.REGISTERS`` by the number of the topic."""
_SUBJECT_OF: Final = np.array([2, 2, 2, 0, 0, 0, 0, 1, 1], dtype=np.int8)
_EFFECT_OF: Final = np.array([False] * 7 + [True] * 2)
_FIRST_POST_SHARE: Final = 0.6
"""Of what the thread draws, its first post draws this share, the others the rest in equal parts."""
_COLUMNS: Final = pa.schema([field for field in SCHEMA if field.name != "event_id"])
_RULES: Final = (
    SubjectRule(
        ANNOUNCEMENT,
        hashtags=("lovewhereyouworked",),
        words=("head of engineering", "engineering lead", "leave the nest"),
    ),
    SubjectRule(
        LAUNCH,
        hashtags=("launchnight", "servermelt", "breaktheinternet"),
        words=("launch", "server", "the room", "the space"),
    ),
)


def snowflake(at: Ints | int, maker: int, sequence: Ints | int = 0) -> Any:
    """Return tweet ids for times (ms since the Unix epoch)."""
    return (at - SNOWFLAKE_EPOCH_MS << TIME_SHIFT) + (maker << MAKER_SHIFT) + sequence


@dataclass(frozen=True)
class _Layout:
    """The night's tweets as columns in time order; rows of refs and roots count within it."""

    tweet_id: Ints
    kind: npt.NDArray[np.int8]
    topic: npt.NDArray[np.int8]
    stance: npt.NDArray[np.int8]
    author: Ints
    ref: npt.NDArray[np.int32]
    root: npt.NDArray[np.int32]
    thread: Ints
    """Rows of the thread's own posts."""


class TweetSource:
    """The tweets of one night.

    Args:
        spec: The scenario's section ``tweets``.
        night: Times and strain; complete.
        seed: The scenario's seed.
        scale: Share of the real crowd.
        people: How many people there are: ids are below it. The last one writes the thread and nothing else.
        listeners: How many of them (the first ones) come to listen; None: everybody may.

    Raises:
        ScenarioError: There is nobody, or there are more tweets in a millisecond than there are ids for it.
    """

    def __init__(
        self, spec: TweetSpec, night: Night, *, seed: int, scale: float, people: int, listeners: int | None = None
    ) -> None:
        if people < 1:
            raise ScenarioError("tweets: nobody is there to write them; the crowd needs at least one person")
        self._spec = spec
        self._night = night
        self._scale = scale
        self._people = people
        self._listeners = people if listeners is None else listeners
        self._draws = Draws(seed, "tweets")
        self._topics = topics(spec, night)
        self._grammar = grammar.load()
        announced = night.announced if spec.announcement else None
        self._announced = announced
        self.thread_id = "" if announced is None else str(snowflake(announced, THREAD_NUMBER))
        """Conversation id of the announcement's thread; empty where there is none."""

    @property
    def subjects(self) -> tuple[SubjectRule, ...]:
        """The rules by which anybody can tell a tweet's subject, in order."""
        first = _RULES[0]
        conversations = (self.thread_id,) if self.thread_id else ()
        return (SubjectRule(first.subject, conversations, first.hashtags, first.words), *_RULES[1:])

    def chunk(self, start_ms: int, end_ms: int) -> pa.Table:
        """Return the tweets with ``start_ms <= at < end_ms`` in time order: the tape's columns but ``event_id``."""
        ids = self._layout.tweet_id
        first, last = np.searchsorted(ids, [snowflake(max(t, SNOWFLAKE_EPOCH_MS), 0) for t in (start_ms, end_ms)])
        return self._table(int(first), int(last))

    @cached_property
    def _layout(self) -> _Layout:
        families = [self._family(topic) for topic in self._topics]
        numbers = [topic.number for topic in self._topics]
        if self._announced is not None:
            families.append(self._thread(self._announced))
            numbers.append(THREAD_NUMBER)
        return _merged(families, numbers, [self._authors(f, n) for f, n in zip(families, numbers, strict=True)])

    def _family(self, topic: Topic) -> Family:
        draws = self._draws.at(topic.name)
        first = posts(times(topic, self._night, self._scale, draws), topic.mix, draws)
        return grow(first, topic.mix, self._spec.cascade, self._night.end, draws)

    def _thread(self, announced: int) -> Family:
        """The thread: each post answers the one before it, as threads do."""
        spec = self._spec.thread
        number = len(self._grammar.thread)
        rows = np.arange(number, dtype=np.int64)
        at = announced + rows * round(spec.gap_seconds * 1000)
        at = at[at < self._night.end]
        rows = rows[: len(at)]
        kind = np.where(rows == 0, POST, REPLY).astype(np.int8)
        stance = np.full(len(rows), STANCES.index("thanks"), np.int8)
        first = Family(at, kind, stance, np.maximum(rows - 1, 0), np.zeros_like(rows))
        share = np.where(rows == 0, _FIRST_POST_SHARE, (1 - _FIRST_POST_SHARE) / max(1, number - 1)) * self._scale
        means = {REPLY: share * spec.replies, QUOTE: share * spec.quotes, REPOST: share * spec.reposts}
        pull = Pull(means, delays_ms(spec.median_minutes, self._spec.cascade.tail))
        return grow(first, MIXES[THREAD], self._spec.cascade, self._night.end, self._draws.at(THREAD), pull)

    def _authors(self, family: Family, number: int) -> Ints:
        """Some write much and most little; the thread's own posts have one author, who writes nothing else."""
        draws, size = self._draws.at("authors", str(number)), len(family)
        others = self._people - 1 - self._listeners
        listens = draws.uniform("listens", size) < (self._spec.listener_share if others > 0 else 1.0)
        listens &= self._listeners > 0
        skewed = draws.uniform("who", size) * draws.uniform("skew", size)
        inside = np.floor(skewed * max(1, min(self._listeners, self._people - 1))).astype(np.int64)
        outside = self._listeners + np.floor(skewed * others).astype(np.int64)
        authors = np.where(listens, inside, outside)
        if number == THREAD_NUMBER:
            authors[: len(self._grammar.thread)] = self._people - 1
        return authors

    def _table(self, first: int, last: int) -> pa.Table:
        layout = self._layout
        rows = np.arange(first, last)
        said = np.where(layout.kind[rows] == REPOST, layout.ref[rows], rows)
        wording = self._wording(said)
        is_post = pa.array(layout.kind[rows] == POST)
        topic = layout.topic[rows]
        columns: dict[str, Any] = {
            "at": (layout.tweet_id[rows] >> TIME_SHIFT) + SNOWFLAKE_EPOCH_MS,
            "topic": _words(np.zeros(len(rows), np.int8), (TWEETS,)),
            "kind": _words(layout.kind[rows], KINDS),
            "person": layout.author[rows],
            "tweet_id": layout.tweet_id[rows],
            "conversation": layout.tweet_id[layout.root[rows]],
            "ref": pa.array(layout.tweet_id[layout.ref[rows]], mask=np.asarray(is_post)),
            "text": wording.texts,
            "hashtags": wording.hashtags,
            "lang": _words(np.zeros(len(rows), np.int8), ("en",)),
            "label_stance": _words(layout.stance[rows], STANCES),
            "label_subject": _words(_SUBJECT_OF[topic], SUBJECTS),
            "label_effect": pa.array(_EFFECT_OF[topic]),
        }
        missing = {f.name: pa.nulls(len(rows), f.type) for f in _COLUMNS if f.name not in columns}
        return pa.table(columns | missing).select(_COLUMNS.names).cast(_COLUMNS)

    def _wording(self, rows: Ints) -> Wording:
        """The words of these rows; the thread's posts have their own."""
        layout = self._layout
        bits = layout.tweet_id[rows].view(np.uint64)
        register, answers = _REGISTER_OF[layout.topic[rows]], layout.kind[rows] != POST
        said = self._grammar.say(register, layout.stance[rows].astype(np.int64), answers, bits)
        if not len(layout.thread):
            return said
        place = np.searchsorted(layout.thread, rows)
        theirs = layout.thread[np.minimum(place, len(layout.thread) - 1)] == rows
        return said.replaced(np.where(theirs, len(rows) + place, np.arange(len(rows))), self._grammar.thread)


def _merged(families: list[Family], numbers: list[int], authors: list[Ints]) -> _Layout:
    """Lay all families into one night, in the order of their ids, which is that of their times."""
    base = np.cumsum([0, *(len(family) for family in families)])
    ids = np.concatenate([_ids(family.at, number) for family, number in zip(families, numbers, strict=True)])
    order = np.argsort(ids)
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    ref = np.concatenate([family.parent + start for family, start in zip(families, base[:-1], strict=True)])
    root = np.concatenate([family.root + start for family, start in zip(families, base[:-1], strict=True)])
    topic = np.repeat(np.array(numbers, np.int8), np.diff(base))
    first = base[numbers.index(THREAD_NUMBER)] if THREAD_NUMBER in numbers else 0
    own = np.arange(first, first + (len(grammar.load().thread) if THREAD_NUMBER in numbers else 0))
    return _Layout(
        tweet_id=ids[order],
        kind=np.concatenate([family.kind for family in families])[order],
        topic=topic[order],
        stance=np.concatenate([family.stance for family in families])[order],
        author=np.concatenate(authors)[order],
        ref=place[ref[order]],
        root=place[root[order]],
        thread=np.sort(place[own]).astype(np.int64),
    )


def _ids(at: Ints, number: int) -> Ints:
    """Snowflakes of one maker: within a millisecond the sequence number tells them apart."""
    order = np.argsort(at, kind="stable")
    times_in_order = at[order]
    rank = np.arange(len(at)) - np.searchsorted(times_in_order, times_in_order, side="left")
    if len(rank) and rank.max() >= 1 << MAKER_SHIFT:
        raise ScenarioError(f"tweets: more than {1 << MAKER_SHIFT} in one millisecond; lower the rates or the scale")
    ids = np.empty_like(at)
    ids[order] = snowflake(times_in_order, number, rank)
    return ids


def _words(indices: npt.NDArray[np.int8], words: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.array(indices, pa.int8()), pa.array([str(word) for word in words], pa.string())
    )
