"""Measurements as a table and as a picture; every ratio is relative to a contender of the same run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from joinstorm.bench.measurement import Measurement


def as_json(measured: Sequence[Measurement], machine: dict[str, str]) -> str:
    """Return the measurements with their rates, and the machine."""
    rows = [
        {
            **msgspec.to_builtins(measurement),
            "per_second": measurement.per_second,
            "per_cpu_second": measurement.per_cpu_second,
        }
        for measurement in measured
    ]
    return msgspec.json.encode({"machine": machine, "measured": rows}).decode()


def as_text(measured: Sequence[Measurement], bases: Sequence[str], machine: dict[str, str]) -> str:
    """Return a table.

    Args:
        measured: The measurements, a line each.
        bases: Contenders to compare the others with, a column each.
        machine: The machine they were made on.
    """
    rate = {measurement.name: measurement.per_second for measurement in measured}
    bases = [base for base in bases if rate.get(base)]
    heads = "".join(f"  {'x ' + base:>20}" for base in bases)
    lines = [f"{'':18}{'events':>11}  {'events/s':>10}  {'per CPU s':>10}{heads}"]
    for measurement in measured:
        ratios = "".join(f"  {measurement.per_second / rate[base]:>20.2f}" for base in bases)
        part = "" if measurement.complete else "  (stopped after its time)"
        figures = f"{measurement.events:>11,}  {measurement.per_second:>10,.0f}  {measurement.per_cpu_second:>10,.0f}"
        lines.append(f"{measurement.name:18}{figures}{ratios}{part}")
    return "\n".join([*lines, ", ".join(machine.values())])


def draw(measured: Sequence[Measurement], path: Path, title: str) -> None:
    """Write a picture of the rates, a bar each; the path's suffix (svg, png) selects the format."""
    # matplotlib is slow to load: only a picture pays for it
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9, 0.9 + 0.42 * len(measured)), layout="constrained")
    axes: Any = figure.subplots()
    names = [measurement.name for measurement in measured][::-1]
    rates = [measurement.per_second for measurement in measured][::-1]
    bars = axes.barh(names, rates, color=["#0b7285" if name in {"faust", "aiokafka"} else "#adb5bd" for name in names])
    axes.bar_label(bars, labels=[f"{rate:,.0f}" for rate in rates], padding=4)
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_xlabel("events per second")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    figure.savefig(path, dpi=150)
