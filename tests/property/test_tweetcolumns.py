"""Tweets that a kernel decodes mean what they mean one by one."""

import json
import random

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.events import OUT_OF_RANGE, Mark, Tweet, TweetKind, decode_tweet, encode
from streams.contract.results import STANCES
from streams.contract.runinfo import SubjectRule
from streams.errors import DecodeError
from streams.fold.columns import Decoded
from streams.fold.stance import LEXICON, stance_of
from streams.fold.subject import subject_names, subject_of
from streams.fold.tweetcolumns import TweetDecoder
from streams.kernels.packed import packed
from streams.kernels.tweets import TweetOut
from tests.oracle import NUMBERS, event_of, long_night
from tests.property.test_columns import mutated, seeds

RULES = (
    SubjectRule("launch", words=("launch", "Never"), hashtags=("night",)),
    SubjectRule("announcement", conversations=("123",), hashtags=("room", "night")),
    SubjectRule("launch", conversations=("7", "123"), words=("quit", "café")),
    SubjectRule("other", words=("thank",)),
)
INFO = msgspec.structs.replace(long_night(), subjects=RULES)
FAST = TweetDecoder(INFO, kernels=True)
SLOW = TweetDecoder(INFO, kernels=False)
SUBJECTS = subject_names(RULES)


def _record(number: int, event_id: int) -> bytes:
    """Return a tweet, sometimes one that is none of the run, cut off, or no tweet."""
    event = event_of(number * 3, event_id % 70)
    raw = encode(event)
    match number % 9:
        case 0:
            return raw[: number % len(raw)]
        case 1:
            return raw.replace(b"great", b"gr\xffat").replace(b"?", b"\\u003f")
        case 2:
            return msgspec.json.encode({"mark": "end", "at": INFO.end, "run": INFO.run, "v": 1})
        case _:
            return raw


def _rows(decoded: Decoded[TweetOut]) -> list[tuple[object, ...]]:
    """Return the events of a chunk, hashtags as a set."""
    out, rows = decoded.columns, []
    for row in np.flatnonzero(out.ok).tolist():
        numbers = out.tags[out.first_tag[row] : out.after_tags[row]].tolist()
        tags = [decoded.tags.entries[number].decode() for number in numbers]
        assert len(tags) == len(set(tags))
        columns = (out.event_id, out.at, out.person, out.kind, out.subject, out.stance, out.in_thread)
        rows.append((*(column[row].item() for column in columns), set(tags)))
    return rows


def _same(decoded: Decoded[TweetOut], raws: list[bytes]) -> None:
    """Check every column, mark and reason against the codec and the rules."""
    rows, marks, bad = [], [], []
    for row, raw in enumerate(raws):
        try:
            event = decode_tweet(raw)
        except DecodeError as error:
            bad.append((row, error.reason))
            continue
        if isinstance(event, Mark):
            marks.append(event)
        elif not (event.event_id < INFO.events and event.author < INFO.people and INFO.start <= event.at <= INFO.end):
            bad.append((row, OUT_OF_RANGE))
        else:
            rows.append(_expected(event))
    assert _rows(decoded) == rows
    assert decoded.marks == marks
    assert sorted((b.row, b.reason) for b in decoded.bad) == bad


@given(st.lists(st.integers(0, NUMBERS // 3), max_size=12))
def test_both_ways_give_what_the_codec_and_the_rules_give(numbers: list[int]) -> None:
    """Every column, mark and reason is that of the record alone; twice, as hashtags get numbers the first time."""
    raws = [_record(number, row * 7) for row, number in enumerate(numbers)]
    for decoder in (FAST, FAST, SLOW):
        _same(decoder.decode(list(raws)), raws)


_texts = st.lists(
    st.one_of(
        st.sampled_from([cue for cues in LEXICON.values() for cue in (*cues.strong, *cues.weak)]),
        st.sampled_from([word for rule in RULES for word in rule.words]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    ),
    max_size=5,
).map(" ".join)


@given(st.lists(_texts, max_size=8), st.lists(st.sampled_from(["night", "room", "caf\u00e9", "Night", ""]), max_size=4))
def test_any_text_and_tags_in_any_spelling(texts: list[str], tags: list[str]) -> None:
    """Cues and words in upper and lower case, with and without escapes, give the subject and stance of the rules."""
    raws = []
    for row, text in enumerate([*texts, *(text.upper() for text in texts)]):
        event = {"event_id": row, "at": INFO.start, "kind": "post", "tweet_id": "1", "author": 1, "conversation": "9"}
        event |= {"text": text, "lang": "en", "v": 1, "hashtags": tags}
        raws += [json.dumps(event).encode(), json.dumps(event, ensure_ascii=False).encode()]
    for decoder in (FAST, FAST):
        _same(decoder.decode(list(raws)), raws)
    out = FAST._room(len(raws))
    assert FAST._fill(packed(raws), out.columns) == 0, "none is left to the codec once the hashtags are known"


@given(st.lists(st.integers(0, NUMBERS // 3), min_size=1, max_size=8), seeds)
def test_altered_tweets_mean_what_the_codec_says(numbers: list[int], seed: int) -> None:
    """Bytes changed, fields shuffled, doubled, taken out or of another kind."""
    rng = random.Random(seed)
    raws = [encode(event_of(number * 3, row)) for row, number in enumerate(numbers)]
    for row in range(len(raws)):
        while rng.random() < 0.6:
            try:
                raws[row] = mutated(raws[row], rng)
            except ValueError:
                break
    for decoder in (FAST, FAST, SLOW):
        _same(decoder.decode(list(raws)), raws)


def _expected(tweet: Tweet) -> tuple[object, ...]:
    return (
        tweet.event_id,
        tweet.at,
        tweet.author,
        list(TweetKind).index(tweet.kind),
        SUBJECTS.index(subject_of(tweet, RULES)),
        STANCES.index(stance_of(tweet.text)),
        tweet.conversation == INFO.thread,
        set(tweet.hashtags),
    )


def test_a_run_without_rules() -> None:
    """Everything is about something else."""
    decoder = TweetDecoder(msgspec.structs.replace(INFO, subjects=()))
    decoded = decoder.decode([encode(event_of(0, 0)), None])
    assert decoded.columns.ok.tolist() == [True, False]
    assert decoded.columns.subject[0] == 0
    assert len(decoded.bad) == 1
