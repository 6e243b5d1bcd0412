"""Measurements as a table and as a picture; every ratio is relative to a contender of the same run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from joinstorm.bench.measurement import Measurement, Rate, Repeats
from joinstorm.engines.catalog import DEFAULT

PRODUCERS: Final = frozenset({"aiokafka", "kafka-python"})
"""The contenders that joinstorm is measured by where its default engine is none of them."""


class BenchRow(msgspec.Struct, kw_only=True):
    """A contender; rates are medians over the runs."""

    name: str
    events: int
    """Events processed in one run; the fewest, where some were stopped."""
    complete: bool
    """Whether every run processed the whole night."""
    per_second: float
    """Events per second of wall clock time."""
    per_second_interval: tuple[float, float]
    """The slowest and the fastest run."""
    per_cpu_second: float
    """Events per second of processor time."""
    per_cpu_second_interval: tuple[float, float]
    """The slowest and the fastest run."""
    cpu_us_per_event: float
    """Microseconds of processor time per event."""
    cpu_us_per_event_interval: tuple[float, float]
    """The least and the most."""
    runs: tuple[Measurement, ...]
    setup: str
    """How it is set up."""


class Bench(msgspec.Struct, kw_only=True):
    """The measurements of a benchmark."""

    machine: dict[str, str]
    measured: tuple[BenchRow, ...]
    behind: tuple[str, ...]
    """Where ours is not the best, a sentence each."""


def as_json(measured: Sequence[Repeats], machine: dict[str, str], notes: Mapping[str, str]) -> str:
    """Return the measurements with their medians and intervals, the machine, and how each contender is set up."""
    rows = [
        BenchRow(
            name=one.name,
            events=one.events,
            complete=one.complete,
            per_second=one.per_second,
            per_second_interval=one.interval("per_second"),
            per_cpu_second=one.per_cpu_second,
            per_cpu_second_interval=one.interval(),
            cpu_us_per_event=one.cpu_us_per_event,
            cpu_us_per_event_interval=one.interval("cpu_us_per_event"),
            runs=one.runs,
            setup=notes.get(one.name, ""),
        )
        for one in measured
    ]
    return msgspec.json.encode(Bench(machine=machine, measured=tuple(rows), behind=tuple(behind(measured)))).decode()


def _ours(measured: Sequence[Repeats]) -> list[Repeats]:
    return [one for one in measured if one.name == DEFAULT] or [one for one in measured if one.name in PRODUCERS]


def behind(measured: Sequence[Repeats]) -> list[str]:
    """Return where ours is slower than another contender, a sentence each."""
    known = _ours(measured)
    rates: tuple[tuple[Rate, str], ...] = (("per_cpu_second", "CPU second"), ("per_second", "second"))
    return [
        f"{ours.name} is behind {other.name}: {_rate(ours, rate):,.0f} against {_rate(other, rate):,.0f} events per "
        f"{unit}{_overlap(ours, other, rate)}."
        for ours in known
        for other in measured
        if other not in known
        for rate, unit in rates
        if _rate(other, rate) > _rate(ours, rate)
    ]


def _rate(one: Repeats, rate: Rate) -> float:
    return float(getattr(one, rate))


def _overlap(ours: Repeats, other: Repeats, rate: Rate) -> str:
    return ", and their runs overlap" if ours.interval(rate)[1] >= other.interval(rate)[0] else ""


def as_text(
    measured: Sequence[Repeats], bases: Sequence[str], machine: dict[str, str], notes: Mapping[str, str]
) -> str:
    """Return a table.

    Args:
        measured: The measurements, a line each.
        bases: Contenders to compare the others with, a column each.
        machine: The machine they were made on.
        notes: How contenders are set up, a line each below the table.
    """
    rate = {one.name: one.per_cpu_second for one in measured if one.events}  # else a ratio to it would mean nothing
    bases = [base for base in bases if rate.get(base)]
    heads = "".join(f"  {'x ' + base:>14}" for base in bases)
    spread = f"{'slowest - fastest':>23}"
    lines = [f"{'':18}{'events':>11}  {'events/s':>10}  {'per CPU s':>10}  {spread}  {'CPU us':>7}{heads}"]
    for one in measured:
        if not one.per_second:
            lines.append(f"{one.name:18}{0:>11}  (counted nothing in its time)")
            continue
        ratios = "".join(f"  {one.per_cpu_second / rate[base]:>14.2f}" for base in bases)
        part = "" if one.complete else "  (stopped after its time)"
        low, high = one.interval()
        figures = f"{one.events:>11,}  {one.per_second:>10,.0f}  {one.per_cpu_second:>10,.0f}  "
        spread = f"{low:>11,.0f} -{high:>10,.0f}"
        lines.append(f"{one.name:18}{figures}{spread}  {one.cpu_us_per_event:>7.2f}{ratios}{part}")
    runs = max(len(one.runs) for one in measured)
    lines.append(
        f"Medians of {runs} runs in turns; ratios are of events per CPU second." if runs > 1 else "One run each."
    )
    if ours := [one.name for one in _ours(measured)]:
        lines += behind(measured) or [f"Nothing here is faster than {' or '.join(ours)}."]
    lines += [f"{name}: {notes[name]}" for name in (one.name for one in measured) if name in notes]
    return "\n".join([*lines, ", ".join(machine.values())])


def draw(measured: Sequence[Repeats], path: Path, title: str) -> None:
    """Write a picture of the rates, a bar each; the path's suffix (svg, png) selects the format."""
    # matplotlib is slow to load: only a picture pays for it
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9, 0.9 + 0.42 * len(measured)), layout="constrained")
    axes: Any = figure.subplots()
    ours = {one.name for one in _ours(measured)}
    names = [measurement.name for measurement in measured][::-1]
    rates = [measurement.per_second for measurement in measured][::-1]
    bars = axes.barh(names, rates, color=["#0b7285" if name in ours else "#adb5bd" for name in names])
    axes.bar_label(bars, labels=[f"{rate:,.0f}" if rate else "none in its time" for rate in rates], padding=4)
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_xlabel("events per second")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    figure.savefig(path, dpi=150)
