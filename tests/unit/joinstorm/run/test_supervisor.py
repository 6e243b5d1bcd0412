"""What a run starts ends with it."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from joinstorm.interrupts import InterruptedRun
from joinstorm.run.supervisor import Supervisor
from streams.errors import EngineError, EnvironmentMissingError

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def wait_for_line(path: Path, line: str) -> None:
    """Block until a log holds a line; fails after ten seconds."""
    deadline = time.monotonic() + 10
    while line not in (path.read_text() if path.exists() else ""):
        assert time.monotonic() < deadline, f"{line!r} never came"
        time.sleep(0.01)


def alive_children() -> list[psutil.Process]:
    """Return the children of this process that run the sleeper."""
    return [child for child in psutil.Process().children() if SLEEPER[-1] in child.cmdline()]


def test_parts_are_gone_after_the_block(tmp_path: Path) -> None:
    """Leaving the block ends every part, also one that ignores SIGTERM."""
    with Supervisor(tmp_path, stop_seconds=0.3) as supervisor:
        pids = [supervisor.start("one", SLEEPER).pid, supervisor.start("deaf", DEAF).pid]
        wait_for_line(tmp_path / "one.log", "up")
        wait_for_line(tmp_path / "deaf.log", "up")
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_an_error_inside_still_ends_the_parts(tmp_path: Path) -> None:
    """An exception passes through, and the parts are gone."""

    def interrupted() -> None:
        with Supervisor(tmp_path) as supervisor:
            supervisor.start("one", SLEEPER)
            raise InterruptedRun

    with pytest.raises(InterruptedRun):
        interrupted()
    assert not alive_children()


def test_a_failed_part_is_named_with_its_last_words(tmp_path: Path) -> None:
    """check() names the part, its exit code and the end of its log."""
    with Supervisor(tmp_path) as supervisor:
        part = supervisor.start("worker-1", [sys.executable, "-c", "print('no disk'); raise SystemExit(4)"])
        part.process.wait()
        with pytest.raises(EngineError, match=r"(?s)worker-1 ended with exit code 4.*no disk"):
            supervisor.check()


def test_what_the_parts_need_is_checked_too(tmp_path: Path) -> None:
    """An error of a further check comes before that of a part which failed because of it."""

    def check() -> None:
        raise EnvironmentMissingError("the disk is full")

    with Supervisor(tmp_path) as supervisor:
        supervisor.start("bad", [sys.executable, "-c", "raise SystemExit(1)"]).process.wait()
        supervisor.checks.append(check)
        with pytest.raises(EnvironmentMissingError, match="the disk is full"):
            supervisor.check()


def test_parts_die_with_a_killed_run(tmp_path: Path) -> None:
    """Even kill -9 of the run leaves no part behind."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the kernel's parent-death signal is Linux's")
    code = (
        "import sys,time; from pathlib import Path; from joinstorm.run.supervisor import Supervisor\n"
        f"with Supervisor(Path({str(tmp_path)!r})) as s:\n"
        f"    print(s.start('one', {SLEEPER!r}).pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        child = psutil.Process(int(run.stdout.readline()))
        run.kill()
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running()
