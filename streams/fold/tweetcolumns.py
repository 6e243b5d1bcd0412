"""Chunks of ``tweets`` as columns; see ``streams.fold.columns`` for what is common.

Subject and stance are asked of every tweet; of many at once they are found a column at a time, which is several times
as fast and means the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.contract.events import OUT_OF_RANGE, Mark, Tweet, TweetKind, decode_tweet
from streams.contract.results import STANCES
from streams.contract.runinfo import RunInfo, SubjectRule
from streams.errors import DecodeError
from streams.fold.canonical import Bools, Ints
from streams.fold.columns import Bad, Decoded, Range, take_mark
from streams.fold.stance import stance_codes, stance_of
from streams.fold.subject import ascii_lower, subject_names, subject_of

KINDS = {kind: code for code, kind in enumerate(TweetKind)}
"""Codes of the kinds, in the order of ``TweetKind``."""
IN_BULK_FROM: Final = 400
"""Below this many tweets, asking of each one is faster."""
_CODE_OF = {id(kind): code for kind, code in KINDS.items()}
"""By identity: hashing a member of an enumeration is a call of Python code."""
_STANCE_CODES = {stance: code for code, stance in enumerate(STANCES)}
_MAX_TAG_SETS: Final = 10_000
_tweet = msgspec.json.Decoder(Tweet).decode
Codes = NDArray[np.int16]


@dataclass(slots=True)
class TweetColumns:
    """Events of ``tweets``."""

    event_id: Ints
    at: Ints
    person: Ints
    kind: Codes
    """Code from ``KINDS``."""
    subject: Codes
    """Index into ``subject_names(info.subjects)``."""
    stance: Codes
    """Index into ``streams.contract.results.STANCES``."""
    in_thread: Bools
    """Whether the conversation is the announcement's thread."""
    tags: list[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.event_id)

    def where(self, rows: Bools) -> "TweetColumns":
        """Return some of the events."""
        tags = [tags for tags, kept in zip(self.tags, rows.tolist(), strict=True) if kept]
        return TweetColumns(
            self.event_id[rows],
            self.at[rows],
            self.person[rows],
            self.kind[rows],
            self.subject[rows],
            self.stance[rows],
            self.in_thread[rows],
            tags,
        )


class TweetDecoder:
    """Decodes chunks of ``tweets`` of one run.

    Args:
        info: The run.
        bulk_from: In chunks of fewer tweets subject and stance are asked of each one.
    """

    def __init__(self, info: RunInfo, *, bulk_from: int = IN_BULK_FROM) -> None:
        self._info = info
        self._range = Range(info)
        self._bulk_from = bulk_from
        self._subjects = _Subjects(info.subjects)

    def decode(self, values: Sequence[bytes | None]) -> Decoded[TweetColumns]:
        """Decode the values of a chunk; never raises for what they hold."""
        rows: list[int] = []
        tweets: list[Tweet] = []
        decoded: Decoded[TweetColumns] = Decoded(self._columns([]))
        for row, raw in enumerate(values):
            try:
                tweet = _tweet(raw or b"")
            except (ValueError, RecursionError):  # msgspec's errors and those of UTF-8 are ValueErrors
                self._second_look(decoded, row, raw or b"")
                continue
            rows.append(row)
            tweets.append(tweet)
        if tweets:
            decoded.columns = self._columns(tweets)
            self._check(decoded, rows)
        return decoded

    def _second_look(self, decoded: Decoded[TweetColumns], row: int, raw: bytes) -> None:
        try:
            mark = decode_tweet(raw)
        except DecodeError as error:
            decoded.bad.append(Bad(row, error.reason, error.detail))
        else:
            assert isinstance(mark, Mark)
            take_mark(decoded, row, mark, self._info)

    def _columns(self, tweets: Sequence[Tweet]) -> TweetColumns:
        thread = self._info.thread
        texts = [tweet.text for tweet in tweets]
        bulk = len(tweets) >= max(1, self._bulk_from)
        column = pl.Series(texts, dtype=pl.String) if bulk else None
        return TweetColumns(
            event_id=np.array([tweet.event_id for tweet in tweets], np.int64),
            at=np.array([tweet.at for tweet in tweets], np.int64),
            person=np.array([tweet.author for tweet in tweets], np.int64),
            kind=np.array([_CODE_OF[id(tweet.kind)] for tweet in tweets], np.int16),
            subject=self._subjects.of_each(tweets) if column is None else self._subjects.of_many(tweets, column),
            stance=_stance_of_each(texts) if column is None else stance_codes(column),
            in_thread=np.array([tweet.conversation == thread for tweet in tweets], np.bool_),
            tags=[tweet.hashtags for tweet in tweets],
        )

    def _check(self, decoded: Decoded[TweetColumns], rows: Sequence[int]) -> None:
        inside = self._range.inside(decoded.columns)
        if inside.all():
            return
        for place in np.flatnonzero(~inside).tolist():
            detail = self._range.explain(decoded.columns, place)
            decoded.bad.append(Bad(rows[place], OUT_OF_RANGE, detail))
        decoded.columns = decoded.columns.where(inside)


def _stance_of_each(texts: Sequence[str]) -> Codes:
    return np.array([_STANCE_CODES[stance_of(text)] for text in texts], np.int16)


class _Subjects:
    """The rule of ``streams.fold.subject``, as codes."""

    def __init__(self, rules: Sequence[SubjectRule]) -> None:
        self._rules = rules
        self._codes = {name: code for code, name in enumerate(subject_names(rules))}
        self._conversations = {c: 1 << n for n, rule in reversed(list(enumerate(rules))) for c in rule.conversations}
        self._words = [(1 << n, [w for w in rule.words if w == ascii_lower(w)]) for n, rule in enumerate(rules)]
        self._by_tags: dict[tuple[str, ...], int] = {}
        self._subject_codes = [self._codes[rule.subject] for rule in rules]

    def of_each(self, tweets: Sequence[Tweet]) -> Codes:
        return np.array([self._codes[subject_of(tweet, self._rules)] for tweet in tweets], np.int16)

    def of_many(self, tweets: Sequence[Tweet], texts: pl.Series) -> Codes:
        conversations, by_tags = self._conversations, self._by_tags
        holding = np.array([conversations.get(tweet.conversation, 0) for tweet in tweets], np.int64)
        tags = [by_tags.get(tweet.hashtags, -1) for tweet in tweets]
        holding |= np.array(
            [self._holding(t.hashtags) if k < 0 else k for k, t in zip(tags, tweets, strict=True)], np.int64
        )
        for bit, words in self._words:
            if words:
                found = texts.str.contains_any(words, ascii_case_insensitive=True).to_numpy()
                holding |= np.where(found, bit, 0)
        subjects = np.full(len(tweets), len(self._codes) - 1, np.int16)
        for number, code in reversed(list(enumerate(self._subject_codes))):
            subjects[(holding >> number) & 1 == 1] = code
        return subjects

    def _holding(self, tags: tuple[str, ...]) -> int:
        """Return the rules one of whose hashtags is among ``tags``, a bit each; remembered, as few are much used."""
        bits = sum(1 << n for n, rule in enumerate(self._rules) if any(tag in rule.hashtags for tag in tags))
        if len(self._by_tags) < _MAX_TAG_SETS:
            self._by_tags[tags] = bits
        return bits
