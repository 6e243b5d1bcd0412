"""Kept answers: the same as asked ones, found again only for the same question, never believed when damaged."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from joinstorm.oracle import keeping, keptfiles
from joinstorm.oracle.answers import Truth, ask
from joinstorm.oracle.keeping import kept_or_asked
from producers.recording import record
from producers.replay.opening import run_info
from producers.scenario.loading import load
from producers.tape.tapefile import Tape
from streams.contract.runinfo import RunInfo
from streams.contract.topics import Topics
from streams.errors import TapeError

NOTHING = np.empty(0, np.int64)


class Night:
    """A tiny tape, its run, and how often the oracle was asked and the tape checked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "kept"
        self.tape = folder / "tape.parquet"
        record(load("launch"), self.tape, scale=0.001)
        self.info = run_info(
            Tape.open(self.tape).info, Topics("kept"), partitions=2, window_ms=5000, watermark_step_ms=5000
        )
        self.asked = 0
        self.checked = 0

    def truth(self, info: RunInfo | None = None, exclude: "np.typing.NDArray[np.int64]" = NOTHING) -> Truth:
        """Return the kept or asked truth."""
        return kept_or_asked(self.tape, info or self.info, self._check, exclude=exclude, folder=self.folder)

    def file(self) -> Path:
        """Return the file of the only kept answers."""
        (found,) = [path for path in self.folder.iterdir() if path.suffix != keptfiles.LOCK]
        return found

    def _check(self) -> None:
        self.checked += 1


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    """Return a night whose questions to the oracle are counted."""
    made = Night(tmp_path)

    def counted(*args: object, **options: object) -> Truth:
        made.asked += 1
        return ask(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(keeping, "ask", counted)
    return made


def test_a_second_question_is_answered_without_counting_and_without_checking(night: Night) -> None:
    """The kept answers equal the asked ones, and an untouched tape is not checked again."""
    first, second = night.truth(), night.truth()

    assert second == first == ask(night.tape, night.info)
    assert (night.asked, night.checked) == (1, 1)


def test_a_touched_tape_is_checked_and_not_counted_again(night: Night) -> None:
    """A file that was written to may be damaged; its answers stand once its content is checked."""
    first = night.truth()
    night.tape.write_bytes(night.tape.read_bytes())

    assert night.truth() == first
    assert (night.asked, night.checked) == (1, 2)
    night.truth()
    assert night.checked == 2


def test_a_tape_that_fails_its_check_gives_no_answer(night: Night) -> None:
    """The error of the check ends the question, and nothing is kept."""

    def refuse() -> None:
        raise TapeError("altered")

    with pytest.raises(TapeError, match="altered"):
        kept_or_asked(night.tape, night.info, refuse, exclude=NOTHING, folder=night.folder)
    night.truth()
    assert night.asked == 1


@pytest.mark.parametrize(
    "other",
    [
        lambda info: msgspec.structs.replace(info, window_ms=10_000),
        lambda info: msgspec.structs.replace(info, talk_start=info.talk_start + 1),
        lambda info: msgspec.structs.replace(info, thread="1"),
        lambda info: msgspec.structs.replace(info, subjects=info.subjects[:1]),
    ],
    ids=["window", "talk", "thread", "subjects"],
)
def test_another_question_is_asked(night: Night, other: Callable[[RunInfo], RunInfo]) -> None:
    """Answers depend on windows, talk, thread and subjects; none is taken for another."""
    changed = other(night.info)
    night.truth()

    assert night.truth(changed) == ask(night.tape, changed)
    assert night.asked == 2


def test_excluded_events_are_another_question(night: Night) -> None:
    """The truth without some events is not that of the whole tape, whatever their order."""
    whole = night.truth()

    assert night.truth(exclude=np.array([5, 3])) == ask(night.tape, night.info, exclude=[3, 5]) != whole
    night.truth(exclude=np.array([3, 5, 3]))
    assert night.asked == 2


def test_changed_queries_ask_again(night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sources of the oracle are part of the question."""
    night.truth()
    source = tmp_path / "queries.py"
    source.write_text("changed")
    monkeypatch.setattr(keeping, "_sources", lambda: iter([source]))

    night.truth()
    assert night.asked == 2


@pytest.mark.parametrize("damage", [lambda old: old[:-1], lambda old: old[:40], lambda _: b"", lambda old: old + b"x"])
def test_a_damaged_file_is_asked_and_kept_again(night: Night, damage: Callable[[bytes], bytes]) -> None:
    """Kept bytes that do not match their digest count as missing."""
    first = night.truth()
    night.file().write_bytes(damage(night.file().read_bytes()))

    assert night.truth() == first
    assert night.truth() == first
    assert night.asked == 2


def test_a_flipped_byte_anywhere_is_noticed(night: Night) -> None:
    """A wrong number in a kept answer never reaches a verdict."""
    first = night.truth()
    content = bytearray(night.file().read_bytes())
    for place in range(0, len(content), max(1, len(content) // 7)):
        night.file().write_bytes(bytes([*content[:place], content[place] ^ 1, *content[place + 1 :]]))
        assert night.truth() == first
    assert night.asked > 7


def test_without_a_usable_cache_folder_every_question_is_asked(night: Night) -> None:
    """A read-only or missing cache costs time, not the answer."""
    night.folder.write_text("a file where the folder should be")

    assert night.truth() == night.truth()
    assert night.asked == 2


def test_only_the_last_used_answers_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder does not grow without end: the longest unused answers go, with their locks."""
    monkeypatch.setattr(keptfiles, "MAX_KEPT", 2)
    for age, name in enumerate(["new", "middle", "old"]):
        (tmp_path / name).touch()
        (tmp_path / f"{name}.lock").touch()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))

    keptfiles.forget_oldest(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["middle", "middle.lock", "new", "new.lock"]


def test_a_tape_with_kept_answers_is_known_by_its_hash(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run counts ahead only where nothing is kept."""
    monkeypatch.setenv("JOINSTORM_CACHE_DIR", str(night.folder.parent))
    assert not keptfiles.any_kept(night.info.tape_sha256)

    kept_or_asked(night.tape, night.info, lambda: None, exclude=NOTHING)

    assert keptfiles.any_kept(night.info.tape_sha256)
