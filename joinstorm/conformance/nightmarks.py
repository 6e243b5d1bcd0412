"""The marks among the records of a night; no I/O."""

import bisect
from collections.abc import Sequence

from streams.contract.topics import INPUTS
from streams.golden import InputRecord


def is_mark(record: InputRecord) -> bool:
    """Whether this is a mark of the run, which belongs to every part of a night."""
    return record.key is None and not record.reason


def common_watermarks(records: Sequence[InputRecord], partitions: int) -> list[int]:
    """Return the watermark shared by all partitions after 0, 1, … of the records; 0 before there is one."""
    newest: dict[tuple[str, int], int] = {}
    out = [0]
    for record in records:
        if is_mark(record):
            place = (record.topic, record.partition)
            newest[place] = max(record.timestamp, newest.get(place, record.timestamp))
            out.append(min(newest.values()) if len(newest) == len(INPUTS) * partitions else 0)
        else:
            out.append(out[-1])
    return out


def between_marks(records: Sequence[InputRecord], watermarks: Sequence[int]) -> tuple[int, int]:
    """Return where the records between the marks around the middle event begin and end.

    Events before the first watermark of all partitions do not count; records without others give their middle.

    Args:
        records: Records of a night.
        watermarks: Their ``common_watermarks``.
    """
    marks = [place for place, record in enumerate(records) if is_mark(record)]
    events = [place for place, record in enumerate(records) if not is_mark(record) and watermarks[place]]
    middle = events[len(events) // 2] if events else len(records) // 2
    after = bisect.bisect(marks, middle)
    return (marks[after - 1] + 1 if after else 0), (marks[after] if after < len(marks) else len(records))
