"""The table of certificates: every point of every engine, as it was last played."""

from benchmarks.certificates import markdown, merged
from joinstorm.conformance.certificate import Certificate, PointOutcome, Status


def _outcome(point: str, status: Status, seconds: float = 1.0) -> PointOutcome:
    return PointOutcome(point=point, says="", status=status, seconds=seconds)


def test_the_newer_play_of_a_point_counts_and_what_was_not_played_is_named() -> None:
    """Certificates of parts make one column for each engine; an unsupported point is no played one."""
    first = [_outcome("clean", "wrong"), _outcome("kill", "unsupported"), _outcome("late", "not tried")]
    again = [_outcome("clean", "exact", 2.34)]
    certificates = [
        Certificate(engine="mine", outcomes=tuple(again), made="2026-11-29T12:00:00+00:00"),
        Certificate(engine="mine", outcomes=tuple(first), made="2026-11-29T11:00:00+00:00"),
        Certificate(engine="other", outcomes=(_outcome("late", "failed", 90.0),), made="2026-11-29T11:00:00+00:00"),
    ]
    lines = markdown(merged(certificates), ("clean", "late", "kill")).splitlines()
    assert lines[0] == "| point | `mine` | `other` |"
    assert lines[2:] == [
        "| `clean` | exact 2.3 s | not played |",
        "| `late` | not played | **failed** 90.0 s |",
        "| `kill` | unsupported | not played |",
        "| exact of played | 1 of 1 | 0 of 1 |",
    ]
