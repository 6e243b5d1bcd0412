"""Before a certificate is played, the kernels of the engine that has some are compiled."""

from pathlib import Path

import pytest

from joinstorm.conformance.certificate import kernels_for
from joinstorm.engines.undertest import EngineUnderTest


@pytest.mark.parametrize(("start", "compiles"), [("faust", True), ("external", False), ("faust-tables", False)])
def test_no_point_waits_for_a_compiler(start: str, compiles: bool, tmp_path: Path) -> None:
    """They are compiled by a process of its own, which has ended with the block; other engines have none."""
    with kernels_for(EngineUnderTest("mine", ["--engine", start]), tmp_path):
        assert (tmp_path / "warm-up" / "warm-up.log").exists() == compiles
