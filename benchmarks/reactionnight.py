"""Shared by the measurements of the reaction: a scenario's night, its tweets, and their section in the docs."""

import tempfile

import numpy as np
import numpy.typing as npt
import polars as pl

from producers.recording import night_of, simulate
from producers.scenario.loading import load
from producers.scenario.spec import Scenario
from producers.scenario.tweetspec import TweetSpec
from producers.simulation.outline import NightOutline
from producers.tweets.source import TweetSource
from streams.contract.runinfo import DEFAULT_WINDOW_MS
from streams.fold.subject import subject_by

ROOMS_SCALE = 0.02
_SLICE_MS = 3_600_000


def night_and_scenario(name: str) -> tuple[NightOutline, Scenario]:
    """Return a scenario's night and the scenario; its rooms are small, as the reaction does not depend on them."""
    scenario = load(name)
    with tempfile.TemporaryFile() as file:
        _, evening = simulate(scenario, scale=ROOMS_SCALE, seed=1, file=file)
    return night_of(scenario, evening.hosts, evening.history), scenario


def tweets_of(spec: TweetSpec, night: NightOutline, scenario: Scenario, *, seed: int, scale: float) -> TweetSource:
    """Return the tweets of that night for one seed."""
    listeners = max(1, round(scenario.crowd.listeners * scale))
    people = listeners + round(scenario.crowd.further_authors * scale) + 1
    return TweetSource(spec, night, seed=seed, scale=scale, people=people, listeners=listeners)


def frame_of(source: TweetSource, start: int, end: int) -> pl.DataFrame:
    """Return tweets as an engine receives them, with labels and the subject by the rules."""
    names = ["at", "conversation", "hashtags", "text", "label_stance", "label_subject"]
    frame = pl.from_arrow(source.chunk(start, end).select(names))
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("expected a table of tweets")
    frame = frame.with_columns(pl.col("conversation", "label_stance", "label_subject").cast(pl.String))
    rows = frame.select("conversation", "hashtags", "text").iter_rows()
    subjects = [subject_by(conversation, tags or (), text, source.subjects) for conversation, tags, text in rows]
    return frame.with_columns(subject=pl.Series(subjects, dtype=pl.String))


def counts_of(source: TweetSource, night: NightOutline, subject: str) -> npt.NDArray[np.int64]:
    """Return the tweets on a subject per window of the default length."""
    windows = -(-(night.end - night.start) // DEFAULT_WINDOW_MS)
    counts = np.zeros(windows, dtype=np.int64)
    for start in range(night.start, night.end, _SLICE_MS):
        frame = frame_of(source, start, min(start + _SLICE_MS, night.end))
        at = frame.filter(pl.col("subject") == subject)["at"].to_numpy()
        counts += np.bincount((at - night.start) // DEFAULT_WINDOW_MS, minlength=windows)
    return counts
