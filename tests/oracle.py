"""Every final count by the words of docs/architecture.md: one event at a time, plain dicts; and events to count."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from hypothesis import strategies as st

from streams.contract.breakdowns import CAUSES, CLIENTS
from streams.contract.durations import TIME_TO_EXIT, TIME_TO_JOIN, TIME_TO_REJOIN
from streams.contract.events import GAVE_UP, ROOM_CLOSED, WAITED_MS, Presence, PresenceKind, Tweet, TweetKind
from streams.contract.names import ALL
from streams.contract.results import HASHTAG, STANCE, Counts
from streams.contract.runinfo import RunInfo
from streams.fold.stance import stance_of
from streams.fold.subject import subject_of
from tests.nights import START, run_info

_T = TypeVar("_T")
TableOfCounts = dict[tuple[int, str], Counts]


class Oracle:
    """Counts events of one run, each event id once."""

    def __init__(self, info: RunInfo, events: Iterable[Presence | Tweet]) -> None:
        self.info = info
        self.audience: TableOfCounts = {}
        self.reaction: TableOfCounts = {}
        self.estimates: TableOfCounts = {}
        known: dict[int, Presence | Tweet] = {}
        for event in events:
            known.setdefault(event.event_id, event)
        self.presence = [event for event in known.values() if isinstance(event, Presence)]
        self.tweets = [event for event in known.values() if isinstance(event, Tweet)]
        for presence in self.presence:
            self._presence(presence)
        for tweet in self.tweets:
            self._tweet(tweet)
        self._people()

    def _add(self, table: TableOfCounts, at: int, name: str, count: str) -> None:
        row = table.setdefault((at - at % self.info.window_ms, name), {})
        row[count] = row.get(count, 0) + 1

    def _presence(self, event: Presence) -> None:
        names = {
            PresenceKind.ATTEMPT: "attempts",
            PresenceKind.JOIN: "joins",
            PresenceKind.FAIL: "fails",
            PresenceKind.DROP: "drops",
            PresenceKind.LEAVE: "give_ups" if event.reason == GAVE_UP else "leaves",
        }
        self._add(self.audience, event.at, event.space, names[event.kind])
        if event.kind is PresenceKind.ATTEMPT and event.try_ == 1:
            self._add(self.audience, event.at, event.space, "arrivals")
        if event.kind is PresenceKind.JOIN and event.since_drop_ms is not None and event.since_drop_ms <= 60_000:
            self._add(self.audience, event.at, event.space, "rejoins_60s")
        if event.kind is PresenceKind.JOIN and event.since_drop_ms is not None:
            self._add(self.audience, event.at, event.space, f"{TIME_TO_REJOIN}{leading_digits(event.since_drop_ms)}")

        self._breakdowns(event)

    def _breakdowns(self, event: Presence) -> None:
        plural = f"{event.kind}s" if event.kind is not PresenceKind.LEAVE or event.reason != GAVE_UP else ""
        if plural in ("joins", "fails", "drops", "leaves"):
            client = event.client if event.client in CLIENTS else "other"
            self._add(self.audience, event.at, event.space, f"{plural}_by_client:{client}")
        if plural in ("fails", "drops"):
            reason = event.reason if event.reason in CAUSES else "other"
            self._add(self.audience, event.at, event.space, f"{plural}_by_reason:{reason}")

    def _tweet(self, tweet: Tweet) -> None:
        names = {
            TweetKind.POST: "posts",
            TweetKind.REPLY: "replies",
            TweetKind.QUOTE: "quotes",
            TweetKind.REPOST: "reposts",
        }
        subject = subject_of(tweet, self.info.subjects)
        self._add(self.reaction, tweet.at, subject, names[tweet.kind])
        self._add(self.estimates, tweet.at, subject, STANCE + stance_of(tweet.text))
        for tag in set(tweet.hashtags):
            self._add(self.reaction, tweet.at, subject, HASHTAG + tag)
        if tweet.kind is TweetKind.REPOST and tweet.conversation == self.info.thread:
            self._add(self.reaction, tweet.at, subject, "thread_reposts")

    def _people(self) -> None:
        joins: dict[tuple[int, str], int] = {}
        authors: dict[tuple[int, str], int] = {}
        attempts: dict[int, int] = {}
        leaves: dict[int, int] = {}
        for event in sorted(self.presence, key=lambda event: event.at):
            if event.kind is PresenceKind.JOIN:
                joins.setdefault((event.listener, event.space), event.at)
                joins.setdefault((event.listener, ALL), event.at)
            if event.kind is PresenceKind.ATTEMPT:
                attempts.setdefault(event.listener, event.at)
            if event.kind is PresenceKind.LEAVE:
                leaves.setdefault(event.listener, event.at)
        for tweet in sorted(self.tweets, key=lambda tweet: tweet.at):
            authors.setdefault((tweet.author, subject_of(tweet, self.info.subjects)), tweet.at)
            authors.setdefault((tweet.author, ALL), tweet.at)
        for (_, space), at in joins.items():
            self._add(self.audience, at, space, "first_joins")
        for (_, subject), at in authors.items():
            self._add(self.reaction, at, subject, "first_authors")
        self._waits(attempts, {person: at for (person, space), at in joins.items() if space == ALL}, leaves)

    def _waits(self, attempts: dict[int, int], joins: dict[int, int], leaves: dict[int, int]) -> None:
        for person, attempt in attempts.items():
            waited = attempt + WAITED_MS
            if waited <= self.info.talk_start and leaves.get(person, waited + 1) > waited:
                self._add(self.audience, waited, ALL, "waited_20m")
            self._end_of_wait(attempt, joins.get(person), leaves.get(person))

    def _end_of_wait(self, attempt: int, join: int | None, leave: int | None) -> None:
        if join is not None and attempt <= join and not (leave is not None and leave < join):
            self._add(self.audience, join, ALL, f"{TIME_TO_JOIN}{leading_digits(join - attempt)}")
        if leave is not None and attempt <= leave and not (join is not None and join <= leave):
            self._add(self.audience, leave, ALL, f"{TIME_TO_EXIT}{leading_digits(leave - attempt)}")


def leading_digits(duration: int) -> int:
    """Return a duration with its three leading binary digits, and zeros for the others."""
    digits = f"{duration:b}"
    return int(digits[:3] + "0" * len(digits[3:]), 2)


END = START + 5_000 * 600 - 1
TALK_START = START + 40 * 60_000


def long_night() -> RunInfo:
    """Return a night long enough for somebody to wait 20 minutes: 600 windows, the talk after 40 minutes."""
    return msgspec.structs.replace(run_info(), end=END, talk_start=TALK_START, events=60, people=8)


WINDOW, WINDOWS = 5_000, 600
_REASONS = (None, GAVE_UP, ROOM_CLOSED, "overload", "a reason of its own")
_SINCE = (None, 0, 59_999, 60_000, 60_001, 7_200_000)
_TEXTS = ("A great Launch!", "thank you 🙏", "did he quit?", "😂", "", 'a\nline "quoted" \\', "caf\u00e9")
_TAGS: tuple[tuple[str, ...], ...] = ((), (), ("night",), ("room", "night"), ("caf\u00e9", "caf\u00e9"))


class _Digits:
    """Takes choices out of one drawn number: hypothesis draws and shrinks few numbers much faster than many fields."""

    def __init__(self, number: int) -> None:
        self._rest = number

    def below(self, limit: int) -> int:
        self._rest, digit = divmod(self._rest, limit)
        return digit

    def one_of(self, *choices: _T) -> _T:
        return choices[self.below(len(choices))]


def event_of(number: int, event_id: int, people: int = 8) -> Presence | Tweet:
    """Return the event of the long night that a number below ``NUMBERS`` stands for."""
    pick = _Digits(number)
    if pick.below(3):
        return Presence(
            kind=pick.one_of(*PresenceKind),
            listener=pick.below(people),
            space=pick.one_of("first", "second"),
            try_=1 + pick.below(12),
            reason=pick.one_of(*_REASONS),
            since_drop_ms=pick.one_of(*_SINCE),
            at=_time(pick),
            client=pick.one_of("ios", "android", "web", "a-client-of-23-letters-"),
            event_id=event_id,
            v=1,
        )
    return Tweet(
        kind=pick.one_of(*TweetKind),
        author=pick.below(people),
        conversation=pick.one_of("123", "7", "8"),
        text=pick.one_of(*_TEXTS),
        hashtags=pick.one_of(*_TAGS),
        at=_time(pick),
        ref=pick.one_of(None, "123"),
        tweet_id=str((1 << 60) + event_id),
        lang="en",
        event_id=event_id,
        v=1,
    )


def _time(pick: _Digits) -> int:
    """Return a time, half of them at the very edge of a window."""
    return START + WINDOW * pick.below(WINDOWS) + pick.one_of(0, 0, WINDOW - 1, 1 + pick.below(WINDOW - 2))


NUMBERS = 1 << 62
nights = st.lists(st.integers(0, NUMBERS - 1), max_size=40).map(
    lambda numbers: [event_of(number, event_id) for event_id, number in enumerate(numbers)]
)
"""Up to 40 events with ids of their own, presence and tweets mixed, on no legal path in particular."""
