"""The formatted data folder: made once, copied afterwards, with ids of its own each time."""

from pathlib import Path

import pytest

from joinstorm.embedded.storage import Ids, Storage, new_id

PROPERTIES = "#\ncluster.id=AAAAAAAAAAAAAAAAAAAAAA\ndirectory.id=BBBBBBBBBBBBBBBBBBBBBB\nnode.id=1\nversion=1\n"


class Tool:
    """Stands in for Kafka's tool; counts its calls."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.calls = 0

    def __call__(self) -> None:
        """Format the folder."""
        self.calls += 1
        self.data.mkdir()
        (self.data / "meta.properties").write_text(PROPERTIES)
        (self.data / "bootstrap.checkpoint").write_bytes(b"\x00features")


def prepared(
    cache: Path, data: Path, settings: str = "node.id=1", ids: Ids | None = None
) -> tuple[dict[str, str], int]:
    """Prepare a data folder; return its properties and how often the tool was called."""
    tool = Tool(data)
    Storage(settings, cache).prepare(data, ids or Ids(1, new_id()), tool)
    lines = (data / "meta.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line), tool.calls


def test_the_second_broker_gets_a_copy_with_other_ids(tmp_path: Path) -> None:
    """Kafka's tool runs once; what it wrote is copied, except the two ids."""
    first, calls = prepared(tmp_path / "cache", tmp_path / "one")
    assert calls == 1

    second, calls = prepared(tmp_path / "cache", tmp_path / "two")

    assert calls == 0
    assert {name for name in first if first[name] != second[name]} == {"cluster.id", "directory.id"}
    assert (tmp_path / "two" / "bootstrap.checkpoint").read_bytes() == b"\x00features"


def test_the_nodes_of_a_cluster_share_a_kept_folder(tmp_path: Path) -> None:
    """A copy belongs to the cluster and has the number it is made for."""
    prepared(tmp_path / "cache", tmp_path / "one")

    second, calls = prepared(tmp_path / "cache", tmp_path / "two", ids=Ids(2, "C" * 22))

    assert calls == 0
    assert (second["node.id"], second["cluster.id"]) == ("2", "C" * 22)


def test_other_settings_are_formatted_anew(tmp_path: Path) -> None:
    """A folder formatted for one set of settings is not used for another."""
    prepared(tmp_path / "cache", tmp_path / "one")

    assert prepared(tmp_path / "cache", tmp_path / "two", "node.id=2")[1] == 1


@pytest.mark.parametrize("missing", ["meta.properties", ""])
def test_a_kept_folder_without_its_properties_is_not_used(tmp_path: Path, missing: str) -> None:
    """What cannot be read is formatted anew."""
    prepared(tmp_path / "cache", tmp_path / "one")
    kept = Storage("node.id=1", tmp_path / "cache").kept
    (kept / "meta.properties").unlink()
    if not missing:
        (kept / "bootstrap.checkpoint").unlink()

    assert prepared(tmp_path / "cache", tmp_path / "two")[1] == 1


def test_an_unusable_cache_folder_costs_time_only(tmp_path: Path) -> None:
    """Without a place to keep it, each broker is formatted by the tool."""
    (tmp_path / "cache").write_text("a file")

    assert prepared(tmp_path / "cache", tmp_path / "one")[1] == 1
    assert prepared(tmp_path / "cache", tmp_path / "two")[1] == 1


def test_new_ids_are_spelled_as_kafka_spells_them() -> None:
    """22 characters of URL-safe base64, all different, none that looks like an option."""
    ids = {new_id() for _ in range(300)}

    assert len(ids) == 300
    assert all(len(one) == 22 and not one.startswith("-") for one in ids)
