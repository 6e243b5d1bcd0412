"""Kernels are compiled once per machine, and where nothing can be compiled records are counted all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = """
import sys
from streams.contract.events import encode
from streams.fold.state import PartitionState, decoder
from streams.kernels import jit
from tests.oracle import event_of, long_night
info = long_night()
state = PartitionState(info, "space.presence", 0)
state.apply(decoder(info, "space.presence").decode([encode(event_of(3 * n + 1, n)) for n in range(40)] + [b"x"]), 41)
results, _ = state.take_results("e")
print(jit.COMPILED, state.events, state.dead_letters, len(results), b"".join(results.values).hex())
"""


def _counted(**environ: str) -> tuple[list[str], str]:
    """Count in a process of its own; return what it prints and its stderr."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT], env={**os.environ, **environ}, capture_output=True, text=True, check=True
    )
    return done.stdout.split(), done.stderr


def test_without_kernels_the_results_are_the_same() -> None:
    """The switch turns compilation off: the codec, plain folds and the codec again give the same bytes."""
    compiled, _ = _counted()
    plain, _ = _counted(JOINSTORM_KERNELS="off")
    assert (compiled[0], plain[0]) == ("True", "False")
    assert compiled[1:] == plain[1:]


def test_no_folder_that_can_be_written(tmp_path: Path) -> None:
    """Neither the cache nor a private folder can be had: one line says so, and records are counted without kernels."""
    (tmp_path / "file").touch()
    private = tmp_path / f"joinstorm-kernels-{os.getuid()}"
    private.touch()
    found, log = _counted(JOINSTORM_CACHE_DIR=str(tmp_path / "file"), TMPDIR=str(tmp_path))
    assert found[:2] == ["False", "40"]
    assert len(log.splitlines()) == 1
    assert log.startswith("kernels are not compiled")
    assert str(private) in log


@pytest.mark.parametrize("module", ["joinstorm.cli", "joinstorm.commands.run", "joinstorm.commands.replay"])
def test_commands_that_count_nothing_do_not_load_the_compiler(module: str) -> None:
    """Importing numba takes 0.4 s: only who decodes, counts or encodes pays it."""
    code = f"import sys, {module}; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_is_warm_is_not_compiled_again() -> None:
    """Real chunks have the types of those that the warm-up counts: each kernel is compiled for one set of types."""
    code = f"""
from streams.fold.warmup import warm
warm()
from streams.kernels import counting, framing, presence, recordbatch, spelling, tweets
{COUNT}
kernels = (counting.first_seen, counting.fold_audience, counting.fold_reaction, counting.gather_tags, framing.frame,
           presence.decode_presence, recordbatch.pack, spelling.encode_results, tweets.decode_tweets)
print({{len(kernel.signatures) for kernel in kernels}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "{1}"
