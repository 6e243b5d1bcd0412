"""Alerts as scored are those Prometheus itself has: the same rules and samples through promtool, state by state."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pytest
import yaml

from joinstorm.alerts.evaluation import RuleEvaluator, RuleOutcome
from joinstorm.alerts.nightsamples import NightSamples, write_samples
from joinstorm.alerts.ruleorder import plan
from joinstorm.alerts.rulesfile import RulesFile, load_rules
from joinstorm.prometheus.remoteread import NAME, STALE, LabelPairs, RemoteSeries
from joinstorm.prometheus.server import promtool, promtool_problems
from producers.recording import record
from producers.scenario.loading import load
from tests.conftest import need_program

RULES: Final = Path(__file__).with_name("alertexactness.yaml")
STEP: Final = 15_000
HOUR: Final = 3_600_000
STRETCHES: Final = {"four hours": (0, 4 * HOUR, STEP), "every second": (HOUR // 2, HOUR + 500_000, 1_000)}
"""Start and end in milliseconds from the opening, and the interval of evaluation."""
BOUNDS: Final = {"0.1": 0.0, "0.5": 0.6, "1": 0.9, "+Inf": 1.0}


class Cut(NightSamples):
    """The samples of a stretch of the night, and a histogram beside them: the longer the crowd waits, the slower."""

    def read(self, metrics: frozenset[str]) -> list[RemoteSeries]:
        """Return the series between start and end."""
        found = [self._cut(one) for one in super().read(metrics)]
        waiting = next(one for one in found if one.by_name[NAME] == "joinstorm_waiting_people")
        slow = np.clip(waiting.values / waiting.values.max(), 0, 1)
        for bound, share in BOUNDS.items():
            counts = np.cumsum(np.rint(100 * (share * (1 - slow) + (bound == "+Inf") * slow)))
            labels = (("__name__", "answer_seconds_bucket"), ("le", bound))
            found.append(RemoteSeries(labels, waiting.times, counts))
        return found

    def _cut(self, one: RemoteSeries) -> RemoteSeries:
        kept = (one.times >= self.info.start) & (one.times <= self.info.end)
        return RemoteSeries(one.labels, one.times[kept], one.values[kept])


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> NightSamples:
    """Return a small night that melts, every fifteen seconds."""
    need_program("prometheus", "promtool")
    folder = tmp_path_factory.mktemp("samples")
    tape = record(load("launch"), folder / "tape.parquet", scale=0.02, seed=1).path
    write_samples(tape, folder / "samples.parquet", STEP)
    return NightSamples.open(folder / "samples.parquet", "faust")


@pytest.mark.parametrize("stretch", list(STRETCHES))
def test_every_state_of_every_alert_is_prometheus_own(samples: NightSamples, stretch: str, tmp_path: Path) -> None:
    """Pending, firing, kept firing and gone: promtool finds in ALERTS what the evaluator says, at every evaluation."""
    start, end, interval = STRETCHES[stretch]
    info = msgspec.structs.replace(samples.info, start=samples.info.start + start, end=samples.info.start + end)
    cut = Cut(samples.path, info, samples.engine)
    rules = load_rules(RULES)
    with RuleEvaluator(tmp_path / "prometheus") as evaluator:
        selectors = {rule: evaluator.selectors(rule) for rule in rules.rules}
        served = {*cut.metrics(), "answer_seconds_bucket", "nobody_serves_this"}
        ordered = plan(RULES, selectors, served, ()).rules
        outcomes = evaluator.night(cut, ordered, None, interval)
    fired = {
        outcome.rule.name for outcome in outcomes for lives in outcome.lives.values() for one in lives if one.fired
    }
    assert len(fired) > 20
    problems = promtool_problems("test", "rules", str(written(cut, rules, outcomes, interval, tmp_path)))
    assert problems[:3000] == ""


def test_a_wrong_state_would_be_noticed(samples: NightSamples, tmp_path: Path) -> None:
    """With one alert resolved an evaluation too late, promtool refuses: the comparison above is one."""
    info = msgspec.structs.replace(samples.info, end=samples.info.start + 2 * HOUR)
    cut = Cut(samples.path, info, samples.engine)
    rules = load_rules(RULES)
    with RuleEvaluator(tmp_path / "prometheus") as evaluator:
        selectors = {rule: evaluator.selectors(rule) for rule in rules.rules}
        ordered = plan(RULES, selectors, {*cut.metrics(), "answer_seconds_bucket", "nobody_serves_this"}, ()).rules
        outcomes = evaluator.night(cut, ordered, None, STEP)
    place = next(number for number, outcome in enumerate(outcomes) if outcome.rule.name == "Threshold")
    (labels, lives), *_ = [item for item in outcomes[place].lives.items() if item[1]]
    late = [*lives[:-1], replace(lives[-1], ends=lives[-1].ends + 1)]
    outcomes[place] = replace(outcomes[place], lives={**outcomes[place].lives, labels: late})
    problems = promtool_problems("test", "rules", str(written(cut, rules, outcomes, STEP, tmp_path)))
    assert 'alertname="Threshold"' in problems


def written(cut: NightSamples, rules: RulesFile, outcomes: list[RuleOutcome], interval: int, folder: Path) -> Path:
    """Write a promtool test that has the same samples and asks for ALERTS at every evaluation."""
    start, end = cut.info.start, cut.info.end
    test = {
        "rule_files": [str(rules.path)],
        "evaluation_interval": f"{interval}ms",
        # Without this, promtool evaluates groups in the random order of a map: a reader may come before its recording.
        "group_eval_order": list(dict.fromkeys(rule.group for rule in rules.rules)),
        "tests": [
            {
                "interval": f"{STEP}ms",
                "input_series": [series(one, start, end) for one in cut.read(cut.metrics())],
                "promql_expr_test": list(asked(outcomes, start)),
            }
        ],
    }
    path = folder / "test.yaml"
    path.write_text(yaml.dump(test, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), width=10_000))
    return path


def series(one: RemoteSeries, start: int, end: int) -> dict[str, str]:
    """Return a series in promtool's notation: a value, ``stale`` or ``_`` for each step."""
    texts = ["_"] * ((end - start) // STEP + 1)
    stale = one.values.view(np.uint64) == np.array([STALE]).view(np.uint64)[0]
    for at, value, ended in zip(one.times.tolist(), one.values.tolist(), stale.tolist(), strict=True):
        texts[(at - start) // STEP] = "stale" if ended else repr(value)
    return {"series": selector(one.labels), "values": " ".join(texts)}


def selector(labels: LabelPairs) -> str:
    """Return labels as PromQL writes them."""
    inside = ",".join(f'{name}="{value}"' for name, value in labels if name != NAME)
    return f"{dict(labels)[NAME]}{{{inside}}}"


def asked(outcomes: list[RuleOutcome], start: int) -> Iterator[dict[str, Any]]:
    """Yield, for every evaluation, the samples ALERTS has to have."""
    evaluations = outcomes[0].evaluations
    there: list[list[dict[str, Any]]] = [[] for _ in range(evaluations.count)]
    for outcome in outcomes:
        for labels, lives in outcome.lives.items():
            for life in lives:
                for number in range(life.active, life.ends):
                    state = "firing" if number >= life.fires else "pending"
                    named = tuple(sorted({**dict(labels), NAME: "ALERTS", "alertstate": state}.items()))
                    there[number].append({"labels": selector(named), "value": 1})
    for number, wanted in enumerate(there):
        moment = f"{evaluations.at(number) - start}ms"
        yield {"expr": "ALERTS", "eval_time": moment, "exp_samples": wanted}


def test_promtool_takes_the_rules() -> None:
    """The file is one that Prometheus runs, with more than twenty alerts."""
    need_program("promtool")
    assert "SUCCESS" in promtool("check", "rules", str(RULES))
    assert len(load_rules(RULES).alerts) > 20
