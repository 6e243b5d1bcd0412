"""A run as of any moment of its night, made of the night's counts: what an exporter is given in tests."""

from joinstorm.prometheus.backfill import Nights
from streams.contract.progress import Covered
from streams.contract.runinfo import RunInfo, RunStatus
from streams.contract.topics import PRESENCE, TWEETS
from streams.read.derive import ResultsView
from streams.read.runview import EngineView, RunView


def view_at(info: RunInfo, nights: Nights, at: int) -> RunView:
    """Return the run as of event time ``at``, with every engine up to date."""
    status = RunStatus(
        v=1, run=info.run, state="playing", at=at, speed=1.0, actual_speed=1.0, sent=0, failed=0, on_time_ratio=1.0,
        lateness_seconds=0.0, client="", wall_ms=at,
    )  # fmt: skip
    engines = {name: EngineView(name, night, _covered(night, at), {}, drained=True) for name, night in nights.items()}
    return RunView(info=info, status=status, engines=engines)


def _covered(night: ResultsView, at: int) -> Covered:
    now = night.at(at)
    presence = ("attempts", "joins", "fails", "leaves", "give_ups", "drops")
    tweets = ("posts", "replies", "quotes", "reposts")
    events = {
        PRESENCE: sum(now.presence(space, count) for space in night.spaces for count in presence),
        TWEETS: sum(now.tweets(subject, count) for subject in night.subjects for count in tweets),
    }
    return Covered(watermark=at, events=events)
