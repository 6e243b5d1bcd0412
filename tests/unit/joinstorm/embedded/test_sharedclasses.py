"""The archive of Kafka's classes: listed by the first broker, made whole or not at all, used by later ones."""

import os
import stat
from pathlib import Path

from joinstorm.embedded.sharedclasses import MAX_KEPT, SharedClasses

MAKES = "for word; do case $word in -XX:SharedArchiveFile=*) echo archive > ${word#*=};; esac; done"


def classes(folder: Path, program: str = MAKES) -> SharedClasses:
    """Return the archive of a Java that is a shell script."""
    java = folder / "java"
    java.write_text(f"#!/bin/sh\n{program}\n")
    java.chmod(java.stat().st_mode | stat.S_IXUSR)
    return SharedClasses(java, [folder / "kafka.jar"], folder)


def test_without_an_archive_the_classes_are_listed(tmp_path: Path) -> None:
    """The first broker writes the list from which the archive is made."""
    made = classes(tmp_path)

    assert made.options() == [f"-XX:DumpLoadedClassList={made.listed}"]


def test_the_archive_is_made_from_the_list_and_used(tmp_path: Path) -> None:
    """Afterwards the list is gone, and Java is started with the archive."""
    made = classes(tmp_path)
    made.listed.write_text("java/lang/Object")

    waiting = made.make()

    assert waiting is not None
    waiting.join()
    assert made.options()[0] == f"-XX:SharedArchiveFile={made.archive}"
    assert not made.listed.exists()
    assert made.make() is None


def test_a_failed_dump_leaves_no_archive(tmp_path: Path) -> None:
    """What was written before the failure never passes for an archive."""
    made = classes(tmp_path, f"{MAKES}; exit 1")
    made.listed.write_text("java/lang/Object")

    waiting = made.make()

    assert waiting is not None
    waiting.join()
    assert not made.archive.exists()
    assert list(tmp_path.glob("*.part")) == []


def test_without_a_list_nothing_is_made(tmp_path: Path) -> None:
    """A broker that was not the first one leaves no work behind."""
    assert classes(tmp_path).make() is None


def test_another_java_has_another_archive(tmp_path: Path) -> None:
    """An archive belongs to one Java and one set of jars."""
    made = classes(tmp_path)

    assert SharedClasses(made.java, [tmp_path / "other.jar"], tmp_path).archive != made.archive


def test_a_folder_that_does_not_exist_is_not_written_to(tmp_path: Path) -> None:
    """Java would complain about a list that it cannot write."""
    java = classes(tmp_path).java

    assert SharedClasses(java, [], tmp_path / "missing").options() == []


def test_the_archives_unused_for_longest_are_removed(tmp_path: Path) -> None:
    """Every environment that was ever made on a machine has one; one in use is not among the oldest."""
    used = SharedClasses(classes(tmp_path).java, [tmp_path / "in-use.jar"], tmp_path)
    others = [tmp_path / f"classes-{number}{suffix}" for number in range(9) for suffix in (".jsa", ".list")]
    for path in (used.archive, *others):
        path.write_text("x")
        os.utime(path, (1, 1))
    used.options()
    made = classes(tmp_path)
    made.listed.write_text("java/lang/Object")

    waiting = made.make()

    assert waiting is not None
    waiting.join()
    assert {made.archive, used.archive} <= set(tmp_path.glob("*.jsa"))
    assert len(list(tmp_path.glob("*.jsa"))) == MAX_KEPT
    assert len(list(tmp_path.glob("*.list"))) <= MAX_KEPT
