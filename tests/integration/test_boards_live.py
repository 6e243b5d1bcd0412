"""A night that plays while a real Prometheus scrapes it: what was scraped is what was so, and the alerts come live."""

import time
from pathlib import Path

from dashboards import stored
from joinstorm.boardproof.counted import Counted
from joinstorm.oracle.answers import ask
from joinstorm.prometheus.backfill import info_of, night_of
from joinstorm.prometheus.server import Labels, Prometheus
from producers.recording import record
from producers.scenario.loading import load
from producers.tape.tapefile import Tape
from streams.exporter.collector import Exporter
from streams.read.runview import RunView
from tests.conftest import need_program
from tests.nightviews import view_at

FROM_MINUTE, TO_MINUTE = 35, 75
"""Of the night: from before the scheduled start until the second room has filled."""
DEADLINE_SECONDS = 60


class Playing:
    """Replaces the reader: every scrape sees the night a minute later, however slow the machine."""

    def __init__(self, tape: Path) -> None:
        self.info = info_of(Tape.open(tape))
        self.truth = ask(tape, self.info)
        night = night_of(self.truth, self.info)
        self._nights = {"truth": night, "faust": night}
        self._minute = FROM_MINUTE

    def snapshot(self) -> RunView:
        """Return the run as it stands, and go on."""
        view = view_at(self.info, self._nights, self.info.start + self._minute * 60_000)
        self._minute = min(self._minute + 1, TO_MINUTE)
        return view


def test_what_is_scraped_is_what_was_so(tmp_path: Path) -> None:
    """In every scrape the audience is the oracle's at that scrape's event time; the alerts fire while it melts."""
    need_program("prometheus")
    tape = record(load("launch"), tmp_path / "tape.parquet", scale=0.02, seed=1).path
    playing = Playing(tape)
    counted = Counted(playing.info, playing.truth.audience, playing.truth.reaction, playing.truth.estimates)
    with Exporter(playing).serving(0) as page, Prometheus(tmp_path, config(page)) as prometheus:
        alerts = alerts_until_the_end(playing, prometheus)
        now = time.time()
        (event_times,) = prometheus.samples("joinstorm_replay_event_timestamp_seconds", "2m", now).values()
        audience = prometheus.samples('joinstorm_audience_listeners{engine="faust"}', "2m", now)
    assert {"LaunchMelting", "JoinSuccessLow", "AudienceCollapse", "WaitingRoomGrowing"} <= alerts
    assert len({value for _, value in event_times}) > 5
    for space in playing.info.spaces:
        shown = dict(next(samples for labels, samples in audience.items() if ("space", space) in labels))
        wanted = {when: counted.audience_at(space, round(at * 1000)) for when, at in event_times}
        assert {when: shown[when] for when in wanted.keys() & shown.keys()} == {
            when: wanted[when] for when in wanted.keys() & shown.keys()
        }
        assert wanted.keys() & shown.keys()


def config(page: str) -> str:
    """Return the configuration of a Prometheus that scrapes the page four times a second and knows the rules."""
    target = page.removeprefix("http://").removesuffix("/metrics")
    return f"""
global: {{scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 1s}}
rule_files: ["{stored.HERE / stored.RULES}"]
scrape_configs: [{{job_name: exporter, static_configs: [{{targets: ["{target}"]}}]}}]
"""


def alerts_until_the_end(playing: Playing, prometheus: Prometheus) -> set[str]:
    """Wait until the stretch has played and Prometheus has its end; return the alerts that fired on the way."""
    end = (playing.info.start + TO_MINUTE * 60_000) / 1000
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if end in prometheus.query("joinstorm_replay_event_timestamp_seconds", time.time()).values():
            fired: dict[Labels, list[tuple[float, float]]]
            fired = prometheus.samples('ALERTS{alertstate="firing"}', "2m", time.time())
            return {dict(labels)["alertname"] for labels in fired}
        time.sleep(0.1)
    raise AssertionError(f"the end was not scraped within {DEADLINE_SECONDS} s: {prometheus.log()[-1000:]}")
