"""The alerts live, on the wall clock: nights played at speed 60 beside other work, scraped by a Prometheus.

    python -m benchmarks.alerts_live --runs 3 --scale 0.1 --load 4

Each run is ``joinstorm run`` with its page of metrics; Prometheus scrapes and evaluates the shipped rules every second.
An alert counts by the phase its engine's watermark was in when the rule was evaluated: the group of rules records that
as well, since on a loaded machine the scrape after it may come seconds later and be in another phase. It is right if it
fires in a phase in which it is due or may fire, missed if it fires in none in which it is due, and false anywhere else.
Alerts about the machine (a replay behind its schedule, an engine behind the replay) are not judged, since a loaded
machine may well be behind; they are printed with the worst value of what they watch.
"""

import argparse
import contextlib
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from dashboards import stored
from dashboards.rules import ALERTS
from joinstorm.prometheus.server import Prometheus
from joinstorm.run.supervisor import Supervisor, joinstorm
from producers.tape.tapefile import Tape
from streams.contract.runinfo import Phase
from streams.system.ports import free_ports
from streams.system.scratch import scratch

ENGINE = "faust"
MACHINE = ("ReplayOffSchedule", "ProcessorBehind", "ProcessorUnfinished")
WATERMARK = "engine:joinstorm_engine_watermark_timestamp_seconds:evaluated"
"""What the rules saw of the engine's watermark, recorded in each of their evaluations."""
WORST = {
    "least share on time": "min_over_time(joinstorm_replay_on_time_ratio[{back}])",
    "longest lag in seconds": "max_over_time(engine:joinstorm_engine_lag_seconds:wall[{back}])",
}
SECONDS = 3600
"""The longest run."""


def main() -> None:
    """Play the nights and print what fired in each, and precision and recall over all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", default="0.1")
    parser.add_argument("--speed", default="60")
    parser.add_argument("--scenario", default="launch")
    parser.add_argument("--load", type=int, default=2, help="busy processes beside the run")
    given = parser.parse_args()
    right = missed = false = 0
    for number in range(1, given.runs + 1):
        with scratch("alerts-live") as folder, busy(given.load):
            tape, fired, worst = play(given, folder, number)
        one = judged(tape, fired, given.scenario)
        right, missed, false = right + len(one[0]), missed + len(one[1]), false + len(one[2])
        load = os.getloadavg()[0]
        machine = [name for name in MACHINE if name in fired]
        text = f"right {one[0]}; missed {one[1]}; false {one[2]}; about the machine {machine}: {worst}"
        print(f"run {number}, load {load:.0f}: {text}", flush=True)
    print(f"recall {right / max(1, right + missed):.3f}, precision {right / max(1, right + false):.3f}")


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep processors busy with processes that do nothing."""
    started = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(processes)]
    for one in started:
        one.start()
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.join()


def _spin() -> None:
    while True:
        pass


def play(given: argparse.Namespace, folder: Path, seed: int) -> tuple[Tape, dict[str, list[int]], dict[str, float]]:
    """Play a night; return its tape, by alert the watermarks (ms) at which it fired, and what ``WORST`` asks."""
    (port,) = free_ports(1)
    out = folder / "out"
    command = joinstorm(
        "run", given.scenario, "--scale", given.scale, "--seed", str(seed), "--speed", given.speed, "--no-report",
        "--metrics-port", str(port), "--out", str(out),
    )  # fmt: skip
    begin = time.time()
    with (
        Prometheus(folder / "prometheus", config(port, watched(folder))) as prometheus,
        Supervisor(folder / "logs") as supervisor,
    ):
        run = supervisor.start("run", command)
        if run.wait(SECONDS):
            sys.exit(run.tail())
        now = time.time()
        back = f"{round(now - begin) + 1}s"
        found = {name: prometheus.query(asked.format(back=back), now) for name, asked in WORST.items()}
        worst = {name: round(value, 4) for name, vector in found.items() for value in vector.values()}
        return Tape.open(out / "tape.parquet"), firing(prometheus, back, now), worst


def watched(folder: Path) -> Path:
    """Write the shipped rules to a file, each group with the engine's watermark, and return it."""
    rules = yaml.safe_load((stored.HERE / stored.RULES).read_text())
    asked = f'joinstorm_engine_watermark_timestamp_seconds{{engine="{ENGINE}"}}'
    for group in rules["groups"]:
        group["rules"].insert(0, {"record": WATERMARK, "expr": asked})
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump(rules, sort_keys=False))
    return path


def config(port: int, rules: Path) -> str:
    """Return a configuration that scrapes a run's page and evaluates the rules, every second."""
    return yaml.safe_dump(
        {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [
                {"job_name": "run", "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
            ],
        }
    )


def firing(prometheus: Prometheus, back: str, now: float) -> dict[str, list[int]]:
    """Return by alert the engine's watermarks (ms) with which it was evaluated and fired."""
    marks = {when: at for samples in prometheus.samples(WATERMARK, back, now).values() for when, at in samples}
    found: dict[str, list[int]] = {}
    for labels, samples in prometheus.samples('ALERTS{alertstate="firing"}', back, now).items():
        at = [round(marks[when] * 1000) for when, _ in samples if when in marks]
        found.setdefault(dict(labels)["alertname"], []).extend(at)
    return found


def judged(tape: Tape, fired: dict[str, list[int]], scenario: str) -> tuple[list[str], list[str], list[str]]:
    """Return the alerts that were right, that were missed, and that fired where they must not."""
    phases = {name: {phase_at(tape.info.phases, at) for at in moments} for name, moments in fired.items()}
    melts = scenario != "control"
    right: list[str] = []
    missed: list[str] = []
    false: list[str] = []
    for alert in (one for one in ALERTS if one.name not in MACHINE):
        due = set(alert.due) if melts or alert.name == "AnnouncementSurge" else set()
        seen = phases.get(alert.name, set())
        if due:
            (right if seen & due else missed).append(alert.name)
        wrong = seen - due - (set(alert.may) if due else set())
        false += [f"{alert.name} in {phase}" for phase in sorted(wrong)]
    return right, missed, false


def phase_at(phases: tuple[Phase, ...], at: int) -> str:
    """Return the phase that holds a moment."""
    return next((phase.name for phase in reversed(phases) if phase.start <= at), phases[0].name)


if __name__ == "__main__":
    main()
