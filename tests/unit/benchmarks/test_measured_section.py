"""Measurements go into their section of a page."""

from pathlib import Path

import pytest

from benchmarks.measuredsection import publish


def test_a_measurement_replaces_the_one_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed and stands between its marks; a document without them is left alone and named."""
    document = tmp_path / "doc.md"
    document.write_text("a\n<!-- x -->\nold\n<!-- end of x -->\nb\n", encoding="utf-8")
    publish("x", "new", document)
    assert document.read_text(encoding="utf-8") == "a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n"
    assert capsys.readouterr().out == "new\n"
    with pytest.raises(SystemExit, match="expected one section"):
        publish("y", "new", document)
