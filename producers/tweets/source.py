"""The tweets of a night in time order, a chunk at a time: author, text, the tweet answered, and labels.

Times (``rates``, ``themes``) and answers (``cascade``) of the whole night are made at once (``layout``), texts chunk by
chunk (``grammar``). Each theme draws from random streams of its own name, so the night without the announcement is this
night minus its effect, tweet for tweet.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from producers.scenario.tweetspec import TweetSpec
from producers.simulation.outline import NightOutline
from producers.tape.tapeformat import SCHEMA
from producers.tweets import grammar
from producers.tweets.cascade import KINDS, POST, QUOTE, REPLY, REPOST, Cascade, ExpectedAnswers, grow, posts
from producers.tweets.draws import Draws, Ints, delays_ms
from producers.tweets.grammar import REGISTERS, TweetTexts
from producers.tweets.layout import SNOWFLAKE_EPOCH_MS, TIME_SHIFT, Layout, ThemeTweets, merged_layout, snowflake
from producers.tweets.rates import Rate, rates, times
from producers.tweets.themes import PLACE, THEMES, THREAD
from streams.contract.names import ANNOUNCEMENT, LAUNCH, SUBJECTS
from streams.contract.results import STANCES
from streams.contract.runinfo import SubjectRule
from streams.contract.topics import TWEETS
from streams.errors import ScenarioError

_REGISTER_OF: Final = np.array([REGISTERS.index(theme.register) for theme in THEMES])
_SUBJECT_OF: Final = np.array([SUBJECTS.index(theme.subject) for theme in THEMES], dtype=np.int8)
_EFFECT_OF: Final = np.array([theme.effect for theme in THEMES])
_FIRST_POST_SHARE: Final = 0.6
"""Share of the thread's answers that its first post draws; the other posts draw the rest in equal parts."""
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


class TweetSource:
    """The tweets of one night.

    Args:
        spec: The scenario's section ``tweets``.
        night: The night's outline, with its strain.
        seed: The tape's seed.
        scale: Size relative to the real crowd.
        people: Number of people; ids are below it. The last one writes only the thread.
        listeners: How many of them (the first ones) may come to listen; None for all.

    Raises:
        ScenarioError: There are no people, or a millisecond has more tweets than ids.
    """

    def __init__(
        self,
        spec: TweetSpec,
        night: NightOutline,
        *,
        seed: int,
        scale: float,
        people: int,
        listeners: int | None = None,
    ) -> None:
        if people < 1:
            raise ScenarioError("tweets: there are no authors; the crowd needs at least one person")
        self._spec = spec
        self._night = night
        self._scale = scale
        self._people = people
        self._listeners = people if listeners is None else listeners
        self._draws = Draws(seed, "tweets")
        self._grammar = grammar.load()
        self._announced = night.announced if spec.announcement else None
        self.thread_id = "" if self._announced is None else str(snowflake(self._announced, PLACE[THREAD] + 1))
        """Conversation id of the announcement's thread; empty if there is none."""

    @property
    def subjects(self) -> tuple[SubjectRule, ...]:
        """The rules that decide a tweet's subject, in order."""
        first = _RULES[0]
        conversations = (self.thread_id,) if self.thread_id else ()
        return (SubjectRule(first.subject, conversations, first.hashtags, first.words), *_RULES[1:])

    def chunk(self, start_ms: int, end_ms: int) -> pa.Table:
        """Return the tweets with ``start_ms <= at < end_ms`` in time order; they lack only ``event_id``."""
        return self._table(self._layout.between(start_ms, end_ms))

    @cached_property
    def _layout(self) -> Layout:
        parts = [self._part(name, rate) for name, rate in rates(self._spec, self._night).items()]
        return merged_layout([*parts, *([] if self._announced is None else [self._thread(self._announced)])])

    def _part(self, name: str, rate: Rate) -> ThemeTweets:
        theme, draws = PLACE[name], self._draws.at(name)
        mix = THEMES[theme].mix
        first = posts(times(rate, self._night, self._scale, draws), mix, draws)
        cascade = grow(first, mix, self._spec.cascade, self._night.end, draws)
        return ThemeTweets(theme, cascade, self._authors(theme, len(cascade)))

    def _thread(self, announced: int) -> ThemeTweets:
        """Return the thread and its answers: each post replies to the one before; its author writes nothing else."""
        spec, theme = self._spec.thread, PLACE[THREAD]
        at = announced + np.arange(len(self._grammar.thread), dtype=np.int64) * round(spec.gap_seconds * 1000)
        at = at[at < self._night.end]
        rows = np.arange(len(at), dtype=np.int64)
        kind = np.where(rows == 0, POST, REPLY).astype(np.int8)
        stance = np.full(len(rows), STANCES.index("thanks"), np.int8)
        first = Cascade(at, kind, stance, np.maximum(rows - 1, 0), np.zeros_like(rows))
        further = (1 - _FIRST_POST_SHARE) / max(1, len(self._grammar.thread) - 1)
        share = np.where(rows == 0, _FIRST_POST_SHARE, further) * self._scale
        means = {REPLY: share * spec.replies, QUOTE: share * spec.quotes, REPOST: share * spec.reposts}
        expected = ExpectedAnswers(means, delays_ms(spec.median_minutes, self._spec.cascade.tail))
        draws = self._draws.at(THREAD)
        cascade = grow(first, THEMES[theme].mix, self._spec.cascade, self._night.end, draws, expected)
        authors = self._authors(theme, len(cascade))
        authors[: len(rows)] = self._people - 1
        return ThemeTweets(theme, cascade, authors, own=len(rows))

    def _authors(self, theme: int, size: int) -> Ints:
        """Draw an author per tweet: a few write much, most write little."""
        draws = self._draws.at("authors", str(theme + 1))
        others = self._people - 1 - self._listeners
        listens = draws.uniform("listens", size) < (self._spec.listener_share if others > 0 else 1.0)
        listens &= self._listeners > 0
        skewed = draws.uniform("who", size) * draws.uniform("skew", size)
        inside = np.floor(skewed * max(1, min(self._listeners, self._people - 1))).astype(np.int64)
        outside = self._listeners + np.floor(skewed * others).astype(np.int64)
        return np.where(listens, inside, outside)

    def _table(self, rows: Ints) -> pa.Table:
        layout = self._layout
        sources = np.where(layout.kind[rows] == REPOST, layout.ref[rows], rows)
        texts = self._texts(sources)
        is_post = pa.array(layout.kind[rows] == POST)
        theme = layout.theme[rows]
        columns: dict[str, Any] = {
            "at": (layout.tweet_id[rows] >> TIME_SHIFT) + SNOWFLAKE_EPOCH_MS,
            "topic": _encoded(np.zeros(len(rows), np.int8), (TWEETS,)),
            "kind": _encoded(layout.kind[rows], KINDS),
            "person": layout.author[rows],
            "tweet_id": layout.tweet_id[rows],
            "conversation": layout.tweet_id[layout.root[rows]],
            "ref": pa.array(layout.tweet_id[layout.ref[rows]], mask=np.asarray(is_post)),
            "text": texts.texts,
            "hashtags": texts.hashtags,
            "lang": _encoded(np.zeros(len(rows), np.int8), ("en",)),
            "label_stance": _encoded(layout.stance[rows], STANCES),
            "label_subject": _encoded(_SUBJECT_OF[theme], SUBJECTS),
            "label_effect": pa.array(_EFFECT_OF[theme]),
        }
        missing = {f.name: pa.nulls(len(rows), f.type) for f in _COLUMNS if f.name not in columns}
        return pa.table(columns | missing).select(_COLUMNS.names).cast(_COLUMNS)

    def _texts(self, rows: Ints) -> TweetTexts:
        """Return the texts of these rows; the thread's posts have fixed ones."""
        layout = self._layout
        bits = layout.tweet_id[rows].view(np.uint64)
        register, answers = _REGISTER_OF[layout.theme[rows]], layout.kind[rows] != POST
        texts = self._grammar.texts(register, layout.stance[rows].astype(np.int64), answers, bits)
        if not len(layout.thread):
            return texts
        place = np.searchsorted(layout.thread, rows)
        in_thread = layout.thread[np.minimum(place, len(layout.thread) - 1)] == rows
        return texts.selected(np.where(in_thread, len(rows) + place, np.arange(len(rows))), self._grammar.thread)


def _encoded(indices: npt.NDArray[np.int8], values: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(list(map(str, values)), pa.string()))
