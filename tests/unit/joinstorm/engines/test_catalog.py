"""What is known of the engines: which are here, which are not, and the line that installs them."""

from pathlib import Path

import pytest

from joinstorm.cli import main
from joinstorm.engines.catalog import CATALOG, engine_under_test, state
from streams.engines import registry
from streams.engines.environments import INSTALLED, environment
from streams.errors import EXIT_OK, NotInstalledError, UnknownEngineError


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("JOINSTORM_CACHE_DIR", str(tmp_path))
    return tmp_path


def test_the_list_has_every_engine_and_how_to_get_it(nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Installed ones with their version, missing ones with the line that installs them."""
    assert main(["engines"]) == EXIT_OK
    output = capsys.readouterr().out
    for name in registry.names():
        assert f"\n{name} " in "\n" + output
        assert name in CATALOG
    assert "missing: joinstorm engines install quix" in output
    assert "installed, kafka-python " in output


def test_a_missing_engine_is_refused_with_the_line_that_installs_it(nowhere: Path) -> None:
    """An environment that was cut off while it was made counts as missing, too."""
    for name in ("quix", "bytewax"):
        with pytest.raises(NotInstalledError, match=f"joinstorm engines install {name}"):
            engine_under_test(name)
    folder = environment("quix", {"JOINSTORM_CACHE_DIR": str(nowhere)})
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    assert state("quix").startswith("missing")
    (folder / INSTALLED).touch()
    assert state("quix") == "installed, in its own environment"


def test_an_engine_nobody_knows_is_no_missing_one() -> None:
    """It is a mistake of the command line, answered with what was meant."""
    with pytest.raises(UnknownEngineError, match="did you mean 'bytewax'"):
        engine_under_test("bytewacks")
