"""Golden nights without Kafka: what an engine would write is checked from a file."""

from pathlib import Path

import pytest

from joinstorm.cli import main
from streams.contract.results import encode
from streams.contract.topics import INPUTS
from streams.engines.shared.simplefold import PartitionFold
from streams.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from streams.golden import NIGHTS, load


def answers(name: str) -> list[bytes]:
    """Return what the simple fold writes for a night."""
    night = load(name)
    folds = {(t, p): PartitionFold(night.info, "mine", t, p) for t in INPUTS for p in range(night.info.partitions)}
    for offset, record in enumerate(night.records):
        folds[record.topic, record.partition].step(record.value, offset)
    return [encode(one) for fold in folds.values() for one in fold.take()]


def test_right_answers_to_all_nights_are_exact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several nights may be in one file, in any order of lines."""
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join(line for name in NIGHTS for line in reversed(answers(name))))
    assert main(["engines", "golden", "--check", str(file)]) == EXIT_OK
    found = capsys.readouterr().out
    assert all(f"{name}: exact" in found for name in NIGHTS)


def test_a_wrong_answer_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the window and the count; so is a partition without its end."""
    file = tmp_path / "mine.jsonl"
    lines = [line for line in answers("edges") if b'"topic":"tweets","shard":"0"' not in line]
    file.write_bytes(b"\n".join(line.replace(b'"leaves":1', b'"leaves":2') for line in lines))
    assert main(["engines", "golden", "--check", str(file)]) == EXIT_FAILED
    found = capsys.readouterr().out
    assert "edges: not exact" in found
    assert "leaves" in found
    assert "no progress with ended for tweets[0]" in found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a value of results.audience"),
        ("{", ":1: "),
        ('{"run":"golden-doors","space":"a"}', ":1: results.audience: Object missing required field `v`"),
    ],
)
def test_a_file_without_answers_is_refused(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the line that is none; neither or both options are refused as well."""
    file = tmp_path / "mine.jsonl"
    file.write_text(text)
    assert main(["engines", "golden", "--check", str(file)]) == EXIT_USAGE
    assert words in capsys.readouterr().err
    assert main(["engines", "golden"]) == EXIT_USAGE
