"""Small tapes for tests: any list of events as a tape, and a small legal night of a few listeners and authors."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from producers.tape.tapefile import Tape, TapeWriter
from producers.tape.tapeformat import SCHEMA, TapeInfo
from streams.contract.events import GAVE_UP, Presence, PresenceKind, Tweet, TweetKind
from streams.contract.runinfo import Phase, SubjectRule
from streams.contract.topics import PRESENCE, TWEETS

START = 1_684_965_600_000
"""24 May 2023, 22:00 UTC."""
NIGHT_MS = 600_000
THREAD = 1_661_000_000_000_000_000
FIRST, SECOND = "first", "second"


def tiny_info(events: int = 0, people: int = 0, **changes: Any) -> TapeInfo:
    """Return the information of a ten-minute night; ``changes`` replace fields."""
    info = TapeInfo(
        format=1,
        name="tiny",
        scenario={},
        seed=0,
        scale=1.0,
        events=events,
        people=people,
        start=START,
        end=START + NIGHT_MS,
        talk_start=START + NIGHT_MS // 2,
        phases=(
            Phase("open", START),
            Phase("melting", START + 120_000),
            Phase("talk", START + NIGHT_MS // 2),
            Phase("night", START + NIGHT_MS // 2 + 60_000, quiet=True),
            Phase("announcement", START + NIGHT_MS // 2 + 180_000),
        ),
        spaces=(FIRST, SECOND),
        thread=str(THREAD),
        announced=START + NIGHT_MS // 2 + 180_000,
        subjects=(
            SubjectRule("announcement", conversations=(str(THREAD),), hashtags=("lovewhereyouworked",)),
            SubjectRule("launch", hashtags=("launch",), words=("space", "audio")),
        ),
        sha256="",
        generator="tests",
    )
    return msgspec.structs.replace(info, **changes)


def tiny_events(seed: int = 0, people: int = 40) -> list[Presence | Tweet]:
    """Return a small night in time order, ids dense, every listener on a legal path."""
    rng = random.Random(seed)
    drawn: list[dict[str, Any]] = []
    for person in range(people):
        drawn += _listener(rng, person) if rng.random() < 0.8 else []
        drawn += [_tweet(rng, person) for _ in range(rng.randrange(3))]
    drawn.sort(key=lambda event: event["at"])
    return [_event({**fields, "event_id": number, "v": 1}) for number, fields in enumerate(drawn)]


def _event(fields: dict[str, Any]) -> Presence | Tweet:
    return msgspec.convert(fields, Presence) if "listener" in fields else msgspec.convert(fields, Tweet)


def _listener(rng: random.Random, person: int) -> list[dict[str, Any]]:
    at = START + rng.randrange(NIGHT_MS // 2)
    same = {"listener": person, "space": rng.choice((FIRST, SECOND)), "client": rng.choice(("ios", "android", "web"))}
    events: list[dict[str, Any]] = []
    dropped: int | None = None
    for tries in range(1, 6):
        events.append({**same, "at": at, "kind": PresenceKind.ATTEMPT, "try": tries})
        at += rng.randrange(200, 5_000)
        if rng.random() < 0.3:
            events.append({**same, "at": at, "kind": PresenceKind.FAIL, "try": tries, "reason": "overload"})
        else:
            since = {} if dropped is None else {"since_drop_ms": at - dropped}
            events.append({**same, "at": at, "kind": PresenceKind.JOIN, "try": tries, **since})
            at += rng.randrange(1_000, 60_000)
            if rng.random() < 0.5:
                events.append({**same, "at": at, "kind": PresenceKind.LEAVE, "try": tries, "reason": "done"})
                return events
            dropped = at
            events.append({**same, "at": at, "kind": PresenceKind.DROP, "try": tries, "reason": "overload"})
        at += rng.randrange(500, 10_000)
    events.append({**same, "at": at, "kind": PresenceKind.LEAVE, "try": 5, "reason": GAVE_UP})
    return events


def _tweet(rng: random.Random, person: int) -> dict[str, Any]:
    kind = rng.choice(list(TweetKind))
    ref = None if kind is TweetKind.POST else str(rng.choice((THREAD, rng.randrange(1 << 60))))
    return {
        "at": START + rng.randrange(NIGHT_MS),
        "kind": kind,
        "tweet_id": str(rng.randrange(1 << 60)),
        "author": person,
        "conversation": ref or str(rng.randrange(1 << 60)),
        "text": rng.choice(("No audio here", 'They "broke" it\n\\o/', "Žďár 👋 café", "Thank you", "")),
        "lang": rng.choice(("en", "es")),
        "hashtags": tuple(rng.sample(("launch", "lovewhereyouworked", "café"), rng.randrange(3))),
        "ref": ref,
    }


def rows(events: Sequence[Presence | Tweet]) -> pa.Table:
    """Return events as rows of a tape, without labels."""
    return pa.Table.from_pylist([_row(event) for event in events], schema=SCHEMA)


def _row(event: Presence | Tweet) -> dict[str, Any]:
    fields: dict[str, Any] = {**msgspec.to_builtins(event)}
    fields["topic"] = TWEETS if isinstance(event, Tweet) else PRESENCE
    fields["person"] = event.author if isinstance(event, Tweet) else event.listener
    if isinstance(event, Tweet):
        fields["hashtags"] = list(event.hashtags)
        for name in ("tweet_id", "conversation", "ref"):
            fields[name] = int(fields[name]) if fields.get(name) is not None else None
    return {name: fields.get(name) for name in SCHEMA.names}


def write_tape(path: Path, events: Sequence[Presence | Tweet], info: TapeInfo | None = None) -> Tape:
    """Write events as a tape and open it."""
    people = 1 + max((event.author if isinstance(event, Tweet) else event.listener for event in events), default=0)
    with TapeWriter(path) as writer:
        writer.append(rows(events))
        writer.finish(info or tiny_info(people=people))
    return Tape.open(path)


def tiny_tape(path: Path, seed: int = 0, people: int = 40) -> Tape:
    """Write a small legal night to ``path`` and open it."""
    return write_tape(path, tiny_events(seed, people))
