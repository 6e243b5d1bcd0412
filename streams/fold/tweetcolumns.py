"""Chunks of ``tweets`` as columns; see ``streams.fold.columns`` for what is common."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.contract.events import Mark, Presence, Tweet, TweetKind, decode_tweet
from streams.contract.results import STANCES
from streams.contract.runinfo import RunInfo, SubjectRule
from streams.fold.columns import Decoded, Decoder
from streams.fold.stance import CUES, STANCE_OF_CUES, stance_of
from streams.fold.subject import ascii_lower, subject_names, subject_of
from streams.kernels.automaton import NO_RULE, Automaton, automaton
from streams.kernels.jit import COMPILED
from streams.kernels.packed import Packed
from streams.kernels.record import Ints
from streams.kernels.table import MOST, Numbering
from streams.kernels.tweets import FIELDS, TweetLookup, TweetOut, decode_tweets

_KINDS: Final = {kind: code for code, kind in enumerate(TweetKind)}
_STANCES: Final = {stance: code for code, stance in enumerate(STANCES)}
_TAGS_PER_TWEET: Final = 8
"""Room for so many hashtags per tweet of a chunk; what does not fit is decoded by the codec."""


class TweetDecoder(Decoder[TweetOut]):
    """Decodes chunks of ``tweets``: subjects are numbered as ``subject_names`` has them, stances as ``STANCES``."""

    def __init__(self, info: RunInfo, *, kernels: bool = COMPILED) -> None:
        super().__init__(info, kernels=kernels)
        self._subjects = {name: number for number, name in enumerate(subject_names(info.subjects))}
        self._tags = Numbering()
        self._texts = _texts(info)
        self._found = np.zeros(FIELDS + 1, np.int64)
        self._more_tags: list[int] = []
        """Hashtags of the tweets of a chunk that the codec decoded: they lie after those that the kernel found."""

    def decode(self, values: Sequence[bytes | None]) -> Decoded[TweetOut]:
        """Decode the values of a chunk; never raises for what they hold."""
        self._more_tags.clear()
        decoded = super().decode(values)
        if self._more_tags:
            tags = np.concatenate((decoded.columns.tags, np.array(self._more_tags, np.int32)))
            decoded.columns = decoded.columns._replace(tags=tags)
        return decoded

    def _room(self, records: int) -> Decoded[TweetOut]:
        out = TweetOut(
            ok=np.zeros(records, np.bool_),
            event_id=np.empty(records, np.int64),
            at=np.empty(records, np.int64),
            person=np.empty(records, np.int64),
            kind=np.empty(records, np.int16),
            subject=np.empty(records, np.int16),
            stance=np.empty(records, np.int16),
            in_thread=np.empty(records, np.bool_),
            first_tag=np.empty(records, np.int64),
            after_tags=np.empty(records, np.int64),
            tags=np.empty(records * _TAGS_PER_TWEET, np.int32),
        )
        return Decoded(out, self._tags)

    def _fill(self, raws: Packed, out: TweetOut) -> int:
        if len(self._texts.tags.heads) < min(len(self._tags), MOST):
            self._texts = self._texts._replace(tags=self._tags.table(), rule_of_tag=self._rules_of_tags())
        where = (raws.bytes(), raws.starts, raws.ends)
        return decode_tweets(*where, self._limits, self._texts, self._scratch, self._found, out)

    def _rules_of_tags(self) -> Ints:
        entries = [tag.decode() for tag in self._tags.entries[:MOST]]
        return _first_rules(entries, [rule.hashtags for rule in self._info.subjects])

    def _codec(self, raw: bytes) -> Tweet | Mark:
        return decode_tweet(raw)

    def _put(self, decoded: Decoded[TweetOut], row: int, event: Presence | Tweet) -> None:
        assert isinstance(event, Tweet)
        out = decoded.columns
        tags = [self._tags.number(tag.encode()) for tag in dict.fromkeys(event.hashtags)]
        out.first_tag[row] = len(out.tags) + len(self._more_tags)
        out.after_tags[row] = out.first_tag[row] + len(tags)
        self._more_tags += tags
        out.event_id[row], out.at[row], out.person[row] = event.event_id, event.at, event.author
        out.kind[row], out.stance[row] = _KINDS[event.kind], _STANCES[stance_of(event.text)]
        out.subject[row] = self._subjects[subject_of(event, self._info.subjects)]
        out.in_thread[row] = event.conversation == self._info.thread


def _first_rules(entries: Sequence[str], named: Sequence[Sequence[str]]) -> Ints:
    """Return for each entry the number of the first rule that names it, ``NO_RULE`` for none."""
    rules = [next((number for number, names in enumerate(named) if entry in names), NO_RULE) for entry in entries]
    return np.array(rules, np.int64)


def _texts(info: RunInfo) -> TweetLookup:
    """Return what the strings of a run's tweets are looked up in; no hashtags yet."""
    rules, names = info.subjects, subject_names(info.subjects)
    conversations = [info.thread, *(conversation for rule in rules for conversation in rule.conversations)]
    texts = Numbering(text.encode() for text in (*TweetKind, *conversations))
    return TweetLookup(
        texts=texts.table(),
        rule_of=_first_rules([text.decode() for text in texts.entries], [rule.conversations for rule in rules]),
        thread=texts.number(info.thread.encode()),
        tags=Numbering().table(),
        rule_of_tag=np.empty(0, np.int64),
        cues=_cues(rules),
        subject_of=np.array([names.index(rule.subject) for rule in rules] + [len(names) - 1], np.int16),
        stance_of=STANCE_OF_CUES,
    )


def _cues(rules: Sequence[SubjectRule]) -> Automaton:
    """Return what finds the rules' words and the cues of stances; a word in upper case is never found."""
    words = [word for rule in rules for word in rule.words if word == ascii_lower(word)]
    patterns = dict.fromkeys((*CUES, *words))
    first = _first_rules(list(patterns), [rule.words for rule in rules]).tolist()
    return automaton({text.encode(): (CUES.get(text, 0), rule) for text, rule in zip(patterns, first, strict=True)})
