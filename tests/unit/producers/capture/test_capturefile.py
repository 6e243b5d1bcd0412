"""A capture on disk: whole up to its last batch wherever it is cut, and never read as something it is not."""

from pathlib import Path

import pytest

from producers.capture.capturefile import is_capture, open_capture
from producers.capture.capturewriter import CaptureWriter, part_of
from streams.errors import CaptureError
from tests.captures import AT, Row, captured, contents, encoded, fetched, plan_of

ROWS = [Row(number, AT + number, b"k", b"value %d" % number, (("h", None),)) for number in range(30)]
BATCHES = [("a", 0, ROWS[:10]), ("b", 1, ROWS[:5]), ("a", 0, ROWS[10:])]
TOPICS = {"a": 1, "b": 2}


def test_a_capture_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Records by topic and partition, in their order; notes that say offsets and times without reading."""
    capture = captured(tmp_path / "c", TOPICS, BATCHES)
    assert contents(capture) == {("a", 0): ROWS, ("b", 1): ROWS[:5]}
    assert (capture.records, capture.topics) == (35, TOPICS)
    assert [(entry.note.first_at, entry.note.last_at) for entry in capture.entries] == [
        (AT, AT + 9), (AT, AT + 4), (AT + 10, AT + 29)
    ]  # fmt: skip
    assert (capture.next_offset("a", 0), capture.next_offset("b", 1), capture.next_offset("b", 0)) == (30, 5, None)
    assert not part_of(tmp_path / "c").exists()


def test_a_cut_capture_is_whole_up_to_its_last_batch(tmp_path: Path) -> None:
    """Wherever the file ends, what is complete before is found, and nothing else; it is no capture yet."""
    path = tmp_path / "c"
    capture = captured(path, TOPICS, BATCHES)
    data = path.read_bytes()
    bounds = [entry.at for entry in capture.entries] + [capture.size]
    cut = tmp_path / "cut"
    for size in range(bounds[0], len(data) - 16, 7):
        cut.write_bytes(data[:size])
        found = open_capture(cut, whole=False)
        whole = sum(1 for end in bounds[1:] if end <= size)
        assert (len(found.entries), found.size, found.end) == (whole, bounds[whole], None)
        contents(found)
    with pytest.raises(CaptureError, match=r"cut off after 35 records; continue it with --resume"):
        open_capture(cut)


def test_a_cut_capture_is_continued(tmp_path: Path) -> None:
    """Appending to what is whole gives the file that was never cut."""
    path, cut = tmp_path / "c", tmp_path / "d"
    capture = captured(path, TOPICS, BATCHES)
    part_of(cut).write_bytes(path.read_bytes()[: capture.entries[2].at + 11])
    begun = open_capture(part_of(cut), whole=False)
    with CaptureWriter(cut, begun.plan, begun.size, begun.records) as writer:
        for records in fetched(encoded(ROWS[10:]), 10):
            writer.append("a", 0, records)
        writer.finish()
    assert contents(open_capture(cut)) == contents(capture)
    assert open_capture(cut).identity == capture.identity


def test_an_altered_batch_is_named(tmp_path: Path) -> None:
    """A changed byte in a batch is found when it is read, with its topic and partition."""
    path = tmp_path / "c"
    capture = captured(path, TOPICS, BATCHES)
    data = bytearray(path.read_bytes())
    data[capture.entries[1].at - 40] ^= 1
    path.write_bytes(data)
    with pytest.raises(CaptureError, match=r"a\[0\]"):
        contents(open_capture(path))


@pytest.mark.parametrize("data", [b"", b"PAR1", b"\xff\xff\xff\xff", b"\xff\xff\xff\xff" + b"\0" * 60])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    """One line that says what it is not."""
    path = tmp_path / "c"
    path.write_bytes(data)
    with pytest.raises(CaptureError, match="not a capture"):
        open_capture(path)
    assert is_capture(path) == data.startswith(b"\xff\xff\xff\xff")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """And is no capture."""
    with pytest.raises(CaptureError, match="there is no such capture"):
        open_capture(tmp_path / "c")
    assert not is_capture(tmp_path / "c")


def test_two_captures_do_not_write_one_file(tmp_path: Path) -> None:
    """The second is refused, whether it begins or continues."""
    path = tmp_path / "c"
    with CaptureWriter(path, plan_of(TOPICS)) as first:
        with pytest.raises(CaptureError, match="continue it with --resume, or remove it"):
            CaptureWriter(path, plan_of(TOPICS)).__enter__()
        with pytest.raises(CaptureError, match="another capture writes it"):
            CaptureWriter(path, plan_of(TOPICS), size=1).__enter__()
        first.finish()
    assert open_capture(path).records == 0


def test_what_waits_is_written_when_a_capture_is_interrupted(tmp_path: Path) -> None:
    """The part keeps what had come."""
    path = tmp_path / "c"
    interrupted = KeyboardInterrupt()
    writer = CaptureWriter(path, plan_of(TOPICS)).__enter__()
    writer.append("a", 0, fetched(encoded(ROWS))[0])
    writer.__exit__(KeyboardInterrupt, interrupted, None)
    assert not path.exists()
    assert open_capture(part_of(path), whole=False).records == 30
