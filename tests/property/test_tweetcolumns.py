"""Tweets decoded in bulk mean what they mean one by one."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.events import OUT_OF_RANGE, Mark, Tweet, decode_tweet, encode
from streams.contract.results import STANCES
from streams.contract.runinfo import SubjectRule
from streams.errors import DecodeError
from streams.fold.stance import stance_of
from streams.fold.subject import subject_names, subject_of
from streams.fold.tweetcolumns import KINDS, TweetDecoder
from tests.oracle import NUMBERS, event_of, long_night

RULES = (
    SubjectRule("launch", words=("launch", "Never"), hashtags=("night",)),
    SubjectRule("announcement", conversations=("123",), hashtags=("room", "night")),
    SubjectRule("launch", conversations=("7", "123"), words=("quit", "café")),
    SubjectRule("other", words=("thank",)),
)
INFO = msgspec.structs.replace(long_night(), subjects=RULES)
BULK = TweetDecoder(INFO, bulk_from=0)
EACH = TweetDecoder(INFO, bulk_from=1 << 60)
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


@given(st.lists(st.integers(0, NUMBERS // 3), max_size=12))
def test_both_ways_say_what_the_codec_and_the_rules_say(numbers: list[int]) -> None:
    """Every column, mark and reason is that of the record alone."""
    raws: list[bytes | None] = [_record(number, row * 7) for row, number in enumerate(numbers)]
    rows, marks, bad = [], [], []
    for row, raw in enumerate(raws):
        try:
            event = decode_tweet(raw or b"")
        except DecodeError as error:
            bad.append((row, error.reason))
            continue
        if isinstance(event, Mark):
            marks.append(event)
        elif not (event.event_id < INFO.events and event.author < INFO.people and INFO.start <= event.at <= INFO.end):
            bad.append((row, OUT_OF_RANGE))
        else:
            rows.append(_expected(event))
    for decoder in (BULK, EACH):
        decoded = decoder.decode(raws)
        found = decoded.columns
        columns = (found.event_id, found.at, found.person, found.kind, found.subject, found.stance, found.in_thread)
        assert list(zip(*(column.tolist() for column in columns), found.tags, strict=True)) == rows
        assert decoded.marks == marks
        assert sorted((b.row, b.reason) for b in decoded.bad) == bad


def _expected(tweet: Tweet) -> tuple[object, ...]:
    return (
        tweet.event_id,
        tweet.at,
        tweet.author,
        KINDS[tweet.kind],
        SUBJECTS.index(subject_of(tweet, RULES)),
        STANCES.index(stance_of(tweet.text)),
        tweet.conversation == INFO.thread,
        tweet.hashtags,
    )


def test_a_run_without_rules() -> None:
    """Everything is about something else."""
    decoder = TweetDecoder(msgspec.structs.replace(INFO, subjects=()), bulk_from=0)
    decoded = decoder.decode([encode(event_of(0, 0)), None])
    assert decoded.columns.subject.tolist() == [0]
    assert len(decoded.bad) == 1
