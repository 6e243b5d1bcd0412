"""The fold's loops: duplicates out, events counted by window, minima per person kept."""

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.contract.events import WAITED_MS, TweetKind
from streams.kernels.breakdowns import CAUSE_LABEL, CLIENT_LABEL
from streams.kernels.cells import CELLS, FIRST_ATTEMPT, GIVE_UP, JOIN, LEAVE, REJOIN
from streams.kernels.durations import ATTEMPTED, JOINED, LEFT, TO_REJOIN, end_of_wait, label
from streams.kernels.jit import compiled, inner
from streams.kernels.presence import PresenceOut
from streams.kernels.record import Ints
from streams.kernels.rows import RowIndex, row_of, slot_of
from streams.kernels.tweets import TweetOut

Bools: TypeAlias = NDArray[np.bool_]
Int: TypeAlias = Any
"""A number: Python's or numpy's, the same once compiled."""
Times: TypeAlias = NDArray[Any]
"""Milliseconds since the start of the night, a row per person; the greatest number of the type stands for never."""

ROWS_PER_EVENT: Final = 3
"""Most rows that one event adds to a table: one of its own name, and two of all names, in the windows in which its
person has waited 20 minutes and in which the first wait ended."""
LINKS_PER_EVENT: Final = 3
"""Most counts of durations and breakdowns that one event adds to: of a join its client, the rejoin, the first wait."""
LAST_LINKS: Final = 2_048
"""How many links are remembered; a power of two."""
_SPREAD: Final = 61
_TOUCHED: Final = 128
"""Rows whose memory is read ahead together: few enough to stay in the processor's nearest cache."""
PAGE_BITS: Final = 15
"""The ids of 2**15 events are one page: 4 KiB of bits."""
FIRST_JOINS: Final = CELLS
WAITED: Final = CELLS + 1
AUDIENCE_KINDS: Final = CELLS + 2
"""Counts of a window and a space: the cells of ``streams.kernels.cells``, then these two."""

_KINDS: Final = len(TweetKind)
_REPOST: Final = list(TweetKind).index(TweetKind.REPOST)
THREAD_REPOSTS: Final = _KINDS
FIRST_AUTHORS: Final = _KINDS + 1
STANCES: Final = _KINDS + 2
"""Counts of a window and a subject: the kinds, these two, then the stances."""


class WindowTable(NamedTuple):
    """Counts: a row for each window and name (a space or a subject, the last one for all of them) that has any."""

    rows: RowIndex
    """The rows by window and name; a key is ``window * names + name``."""
    names: int
    counts: NDArray[Any]
    """By row and kind of count."""
    unpublished: Bools
    """Which rows have changed since they were handed out as results."""
    unsaved: Bools
    """Which rows have changed since they were handed out for a checkpoint."""


class FirstTimes(NamedTuple):
    """The earliest time of a person with a name: a row for each person and name that have met."""

    rows: RowIndex
    """The rows by person and name; a key is ``person * names + name``."""
    names: int
    times: Times
    """By row."""
    unsaved: Bools
    """Which rows have changed since they were handed out for a checkpoint."""


class Night(NamedTuple):
    """The moments of a run that counts depend on, in milliseconds; the talk's since the start."""

    start: int
    window: int
    talk: int


class TagTable(NamedTuple):
    """Counts that a row of a ``WindowTable`` has few of (hashtags; durations, breakdowns): a chain of links per row."""

    heads: NDArray[np.int32]
    """First link by row, -1 for none."""
    following: NDArray[np.int32]
    tags: NDArray[np.int32]
    counts: NDArray[np.int64]
    used: Ints
    """One number: how many links there are."""
    last_keys: Ints
    """The row and tag that used an entry of ``last_links`` last, ``row << 32 | tag``; -1 for none."""
    last_links: NDArray[np.int32]
    """Links found lately: most events count where those before them did, and chains are long."""


@inner
def _changed(table: WindowTable, window: Int, name: Int) -> Any:
    """Return the row of a window and a name, which is going to change."""
    row = row_of(table.rows, window * table.names + name)
    table.unpublished[row] = True
    table.unsaved[row] = True
    return row


@inner
def _add(table: WindowTable, window: Int, name: Int, kind: Int, amount: Int) -> Any:
    """Add to a count and return its row."""
    row = _changed(table, window, name)
    table.counts[row, kind] += amount
    return row


@inner
def _move(table: WindowTable, before: Int, after: Int, name: Int, kind: Int) -> None:
    """Take one out of one window and put it into another; -1 stands for none."""
    if before != after:
        if before >= 0:
            _add(table, before, name, kind, -1)
        if after >= 0:
            _add(table, after, name, kind, 1)


@inner
def _lower(
    table: WindowTable, firsts: FirstTimes, person: Int, since: Int, window: Int, name: Int, kind: Int, step: int
) -> bool:
    """Keep the earlier time; a person is counted in the window of the earliest. Return whether it fell."""
    new = firsts.rows.used[0]
    row = row_of(firsts.rows, person * firsts.names + name)
    before = np.int64(firsts.times[row])
    if row != new and since >= before:
        return False
    firsts.times[row] = since
    firsts.unsaved[row] = True
    _move(table, -1 if row == new else before // step, window, name, kind)
    return True


@inner
def _never(times: Times) -> Any:
    return np.int64(np.iinfo(times.dtype).max)


@compiled
def first_seen(ids: Ints, ok: Bools, seen: NDArray[np.uint8], pages: Bools, first: Bools) -> int:
    """Note event ids as seen, and return how many are seen for the first time.

    Args:
        ids: Event ids.
        ok: Which rows count.
        seen: A bit per event, the lowest bit of a byte first.
        pages: Set where a page of bits changes.
        first: Set to which rows count and are seen for the first time.
    """
    fresh = 0
    for row in range(len(ids)):
        first[row] = False
        if ok[row]:
            event = ids[row]
            bit = np.uint8(1 << (event & 7))
            if not seen[event >> 3] & bit:
                seen[event >> 3] |= bit
                pages[event >> PAGE_BITS] = True
                first[row] = True
                fresh += 1
    return fresh


@inner
def _waited_window(attempted: Int, left: Int, never: Int, night: Night) -> Int:
    """Return the window in which a listener has waited 20 minutes, -1 for none."""
    since = np.int64(attempted) + WAITED_MS  # a time may be as large as its type allows
    return since // night.window if attempted != never and since <= night.talk and left > since else -1


@inner
def count_tag(tags: TagTable, row: Int, tag: Int, amount: Int) -> None:
    """Add to a count of a row; there must be a free link."""
    key, entry = row << 32 | tag, (tag + row * _SPREAD) & (LAST_LINKS - 1)
    if tags.last_keys[entry] == key:
        tags.counts[tags.last_links[entry]] += amount
        return
    link = tags.heads[row]
    while link >= 0 and tags.tags[link] != tag:
        link = tags.following[link]
    if link < 0:
        link = tags.used[0]
        tags.used[0] += 1
        tags.tags[link], tags.counts[link], tags.following[link] = tag, 0, tags.heads[row]
        tags.heads[row] = link
    tags.counts[link] += amount
    tags.last_keys[entry], tags.last_links[entry] = key, link


@inner
def _lower_time(
    table: WindowTable, bins: TagTable, times: Times, person: Int, column: Int, since: Int, night: Night
) -> bool:
    """Keep the earlier time; it may move the person in the counts that depend on several times. Return whether it fell.

    These are ``waited_20m`` and the durations until a first wait has ended.
    """
    if since >= times[person, column]:
        return False
    never, everywhere = _never(times), table.names - 1
    waited = _waited_window(times[person, ATTEMPTED], times[person, LEFT], never, night)
    end, tag = end_of_wait(times, person, never)
    times[person, column] = since
    _move(
        table, waited, _waited_window(times[person, ATTEMPTED], times[person, LEFT], never, night), everywhere, WAITED
    )
    new_end, new_tag = end_of_wait(times, person, never)
    if end >= 0:
        count_tag(bins, _add(table, end // night.window, everywhere, WAITED, 0), tag, -1)
    if new_end >= 0:
        count_tag(bins, _add(table, new_end // night.window, everywhere, WAITED, 0), new_tag, 1)
    return True


@inner
def _touch(events: PresenceOut, first: Bools, begin: Int, end: Int, firsts: FirstTimes, times: Times) -> Int:
    """Read what the fold of some rows is going to read, so that the processor waits for many of them at once.

    People come in no order, so each event would wait for memory by itself. The answer keeps the reads in the code.
    """
    seen = np.int64(0)
    for row in range(begin, end):
        if first[row]:
            person, cell = events.person[row], events.cell[row]
            seen ^= np.int64(times[person, 0])
            if cell == JOIN or cell == REJOIN:
                found = firsts.rows.slots[slot_of(firsts.rows, person * firsts.names + np.int64(events.space[row]))]
                if found:
                    seen ^= firsts.rows.keys[found - 1] ^ np.int64(firsts.times[found - 1])
    return seen


@compiled
def fold_audience(
    events: PresenceOut,
    first: Bools,
    night: Night,
    table: WindowTable,
    firsts: FirstTimes,
    times: Times,
    unsaved: Bools,
    bins: TagTable,
) -> Int:
    """Count presence events.

    Args:
        events: Columns of events.
        first: Which rows count.
        night: The run.
        table: The counts, with ``ROWS_PER_EVENT`` free rows for each event.
        firsts: By person and space: the first join; with a free row for each event.
        times: By person: see ``ATTEMPTED``.
        unsaved: By person: set where a time falls.
        bins: Counts of durations and breakdowns by row of ``table``, with ``LINKS_PER_EVENT`` free links for each event
            that counts.

    Returns:
        Nothing of use: what ``_touch`` read, so that it is read.
    """
    begin = end = window = 0  # of the window of the event before: mostly it is the next one's, too
    known = counted = np.int64(-1)  # its space and row, likewise
    everywhere = table.names - 1
    seen, touched = np.int64(0), 0
    for row in range(len(first)):
        if row == touched:
            touched = min(row + _TOUCHED, len(first))
            seen ^= _touch(events, first, row, touched, firsts, times)
        if not first[row]:
            continue
        since = events.at[row] - night.start
        if not begin <= since < end:
            window = since // night.window
            begin = window * night.window
            end = begin + night.window
            known = np.int64(-1)
        person, space, cell = events.person[row], np.int64(events.space[row]), np.int64(events.cell[row])
        if space != known:
            known, counted = space, _changed(table, window, space)
        table.counts[counted, cell] += 1
        if CLIENT_LABEL[cell] >= 0:
            count_tag(bins, counted, CLIENT_LABEL[cell] + np.int64(events.client[row]), 1)
        if CAUSE_LABEL[cell] >= 0:
            count_tag(bins, counted, CAUSE_LABEL[cell] + np.int64(events.cause[row]), 1)
        fell = False
        if cell == JOIN or cell == REJOIN:
            if _lower(table, firsts, person, since, window, space, FIRST_JOINS, night.window):
                before = np.int64(times[person, JOINED])
                fell = _lower_time(table, bins, times, person, JOINED, since, night)
                if fell:
                    moved = -1 if before == _never(times) else before // night.window
                    _move(table, moved, window, everywhere, FIRST_JOINS)
            if events.since[row] >= 0:
                count_tag(bins, counted, label(TO_REJOIN, events.since[row]), 1)
        elif cell <= FIRST_ATTEMPT:
            fell = _lower_time(table, bins, times, person, ATTEMPTED, since, night)
        elif cell == LEAVE or cell == GIVE_UP:
            fell = _lower_time(table, bins, times, person, LEFT, since, night)
        if fell:
            unsaved[person] = True
    return seen


@compiled
def fold_reaction(
    events: TweetOut,
    first: Bools,
    night: Night,
    table: WindowTable,
    firsts: FirstTimes,
    tags: TagTable,
    numbers: NDArray[np.int32],
) -> None:
    """Count tweets.

    Args:
        events: Columns of tweets.
        first: Which rows count.
        night: The run.
        table: The counts, with ``ROWS_PER_EVENT`` free rows for each event.
        firsts: By author and subject: the first tweet; with as many free rows for each event.
        tags: Counts of hashtags by row of ``table``, with a free link for each of the events' tags.
        numbers: The number among ``tags`` of each of the events' hashtags.
    """
    everywhere = table.names - 1
    for row in range(len(first)):
        if not first[row]:
            continue
        since = events.at[row] - night.start
        window, person, subject = since // night.window, events.person[row], np.int64(events.subject[row])
        counted = _add(table, window, subject, np.int64(events.kind[row]), 1)
        _add(table, window, subject, STANCES + np.int64(events.stance[row]), 1)
        if events.kind[row] == _REPOST and events.in_thread[row]:
            _add(table, window, subject, THREAD_REPOSTS, 1)
        for place in range(events.first_tag[row], events.after_tags[row]):
            count_tag(tags, counted, numbers[events.tags[place]], 1)
        if _lower(table, firsts, person, since, window, subject, FIRST_AUTHORS, night.window):
            _lower(table, firsts, person, since, window, everywhere, FIRST_AUTHORS, night.window)


@compiled
def gather_tags(tags: TagTable, rows: Ints, begins: Ints, found: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
    """Collect the counts of some rows, without zeros.

    Args:
        tags: The counts.
        rows: Rows.
        begins: Set to where the tags of each begin, and where the last one's end.
        found: Set to tags.
        counts: Set to their counts.
    """
    place = 0
    for number in range(len(rows)):
        begins[number] = place
        link = tags.heads[rows[number]]
        while link >= 0:
            if tags.counts[link]:
                found[place], counts[place] = tags.tags[link], tags.counts[link]
                place += 1
            link = tags.following[link]
    begins[len(rows)] = place
