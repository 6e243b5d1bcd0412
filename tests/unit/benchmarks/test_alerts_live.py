"""How live alerts are judged: by the phases in which they fired."""

from pathlib import Path

import yaml

from benchmarks.alerts_live import WATERMARK, judged, phase_at, watched
from dashboards import stored
from producers.tape.tapefile import Tape
from streams.contract.names import PhaseName
from streams.contract.runinfo import Phase
from tests.tinytape import START, tiny_info, write_tape

PHASES = (
    Phase(PhaseName.OPEN, START),
    Phase(PhaseName.MELTING, START + 60_000),
    Phase(PhaseName.SECOND_ROOM, START + 120_000),
    Phase(PhaseName.THREAD, START + 180_000),
)


def test_an_alert_is_right_missed_or_false_by_its_phases(tmp_path: Path) -> None:
    """Due in one phase, allowed in another, false before; without a melting night only the surge is due."""
    tape: Tape = write_tape(tmp_path / "tape.parquet", [], tiny_info(phases=PHASES))
    fired = {
        "LaunchMelting": [START + 60_000, START + 120_000],
        "JoinSuccessLow": [START + 1],
        "AudienceCollapse": [START + 125_000],
        "AnnouncementSurge": [START + 180_000],
        "EngineWrong": [START + 60_000],
    }
    right, missed, false = judged(tape, fired, "launch")
    assert right == ["LaunchMelting", "AudienceCollapse", "AnnouncementSurge"]
    assert missed == ["JoinSuccessLow", "WaitingRoomGrowing"]
    assert false == ["JoinSuccessLow in open", "EngineWrong in melting"]
    assert judged(tape, {}, "control") == ([], ["AnnouncementSurge"], [])


def test_every_group_records_what_it_saw_of_the_watermark(tmp_path: Path) -> None:
    """First of all, so that it has the time of the group's alerts; the shipped rules follow as they are."""
    groups = yaml.safe_load(watched(tmp_path).read_text())["groups"]
    shipped = yaml.safe_load((stored.HERE / stored.RULES).read_text())["groups"]
    assert [group["rules"][0]["record"] for group in groups] == [WATERMARK] * len(shipped)
    assert [group["rules"][1:] for group in groups] == [group["rules"] for group in shipped]


def test_a_moment_belongs_to_the_phase_that_began_last() -> None:
    """The first phase holds what is before it."""
    assert phase_at(PHASES, START - 1) == phase_at(PHASES, START) == "open"
    assert phase_at(PHASES, START + 60_000) == "melting"
