"""Accuracy of the stance classifier and the subject rules against the generator's labels.

Run it from the repository's root:

    python -m benchmarks.stance_accuracy --scale 0.2 --write docs/reaction.md
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from benchmarks.measuredsection import publish
from benchmarks.reactionnight import frame_of, night_and_scenario, tweets_of
from streams.contract.names import SUBJECTS
from streams.contract.results import STANCES
from streams.fold.stance import stance_of


def table(frame: pl.DataFrame, label: str, found: str, names: Sequence[str]) -> list[str]:
    """Return a line per name: the number of tweets with the label, recall and precision."""
    lines = []
    for name in names:
        labelled, classified = frame.filter(pl.col(label) == name), frame.filter(pl.col(found) == name)
        both = labelled.filter(pl.col(found) == name).height
        lines.append(
            f"| {name} | {labelled.height:,} | {both / labelled.height:.1%} | {both / classified.height:.1%} |"
        )
    right = frame.select((pl.col(label) == pl.col(found)).mean()).item()
    return [*lines, f"| all | {frame.height:,} | {right:.1%} | {right:.1%} |"]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; ``--write`` also updates the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="launch")
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="document with the section 'accuracy'")
    options = parser.parse_args(argv)
    night, scenario = night_and_scenario(options.scenario)
    source = tweets_of(scenario.tweets, night, scenario, seed=options.seed, scale=options.scale)
    frame = frame_of(source, night.start, night.end)
    begun = time.perf_counter()
    frame = frame.with_columns(stance=pl.Series([stance_of(text) for text in frame["text"]]))
    print(f"{(time.perf_counter() - begun) / frame.height * 1e9:.0f} ns per text", file=sys.stderr)
    columns = "meant | of those found (recall) | of those found so, right (precision) |\n| --- | ---: | ---: | ---: |"
    lines = [
        f"| stance | {columns}",
        *table(frame, "label_stance", "stance", STANCES),
        "",
        f"| subject | {columns}",
        *table(frame, "label_subject", "subject", SUBJECTS),
    ]
    publish("accuracy", "\n".join(lines), options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
