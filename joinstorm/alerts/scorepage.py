"""A score as one HTML page: the table, and for each alert a timeline of every night against its phases."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from joinstorm.alerts.requirement import Requirement, complaints
from joinstorm.alerts.scoreformats import clock, night_text, row
from joinstorm.alerts.scoring import AlertNight, AlertScore
from joinstorm.report.stylesheet import CSS
from streams.visible import escape

_HEAD: Final = (
    "alert", "recall", "precision", "detection time", "reset time", "flaps", "pages per incident night",
    "pages per quiet night",
)  # fmt: skip
_WIDTH, _ROW, _NAME, _TOP, _GAP = 1072, 18, 190, 20, 8
_COLOURS: Final = {"right": "var(--good)", "false": "var(--bad)", "allowed": "var(--faint)"}
_STYLE: Final = "svg text { font-size: 11px; fill: var(--ink); } th { text-align: left; }"


def as_html(scores: Sequence[AlertScore], required: Sequence[Requirement] = ()) -> str:
    """Return the page; it needs nothing from elsewhere."""
    unmet = complaints(scores, required)
    verdict = "".join(f"<p>{escape(line)}</p>" for line in unmet)
    if required and not unmet:
        verdict = f"<p>Every alert meets {escape(', '.join(map(str, required)))}.</p>"
    head = "".join(f"<th>{name}</th>" for name in _HEAD)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row(score))}</tr>" for score in scores)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Alerts scored</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{CSS}{_STYLE}</style>'
        f"<main><h1>Alerts scored against the truth</h1>{verdict}"
        f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'
        "<p>Green bars are right pages, orange ones false, grey ones allowed. Each phase has the same width; shaded "
        "phases are those the alert is meant for.</p>"
        f"{''.join(map(_section, scores))}</main></html>\n"
    )


def _section(score: AlertScore) -> str:
    heading = f"<h2>{escape(score.name)}</h2><p>Line {score.line}, expected: {escape(str(score.expected))}.</p>"
    if score.unserved:
        return f"{heading}<p>Not scored: it reads {escape(', '.join(score.unserved))}, which no night has.</p>"
    return f'{heading}<figure class="scroll">{timeline(score)}</figure>'


def timeline(score: AlertScore) -> str:
    """Return the SVG of an alert: for each scenario its phases as columns, and one line for each night."""
    parts, top = [], 0
    for _, nights in groupby(score.nights, key=lambda one: one.night.scenario):
        drawn, height = _scenario(score, list(nights))
        parts.append(f'<g transform="translate(0 {top})">{drawn}</g>')
        top += height + _GAP
    words = escape(f"When {score.name} fired in each night")
    return f'<svg role="img" aria-label="{words}" viewBox="0 0 {_WIDTH} {top}" width="100%">{"".join(parts)}</svg>'


def _scenario(score: AlertScore, nights: Sequence[AlertNight]) -> tuple[str, int]:
    """Return the drawing of some nights with the same phases, nearly, and its height."""
    phases = _all_phases(nights)
    due = {phase for one in nights for phase in score.expected.on(one.night.expect).phases}
    step = (_WIDTH - _NAME) / max(1, len(phases))
    height = _TOP + _ROW * len(nights) + 4
    parts = []
    for number, phase in enumerate(phases):
        left = _NAME + number * step
        if phase in due:
            parts.append(f'<rect x="{left:.1f}" y="0" width="{step:.1f}" height="{height}" fill="var(--band)"/>')
        parts.append(f'<line x1="{left:.1f}" x2="{left:.1f}" y1="0" y2="{height}" stroke="var(--line)"/>')
        parts.append(f'<text x="{left + 3:.1f}" y="13">{escape(phase.replace("_", " "))}</text>')
    for number, one in enumerate(nights):
        parts.append(_line(one, phases, step, _TOP + number * _ROW))
    return "".join(parts), height


def _all_phases(nights: Sequence[AlertNight]) -> list[str]:
    """Return the phases of all nights, in the order of the night that has most of them."""
    found: list[str] = []
    for one in sorted(nights, key=lambda each: -len(each.night.phases)):
        found += [phase.name for phase in one.night.phases if phase.name not in found]
    return found


def _line(one: AlertNight, phases: Sequence[str], step: float, top: int) -> str:
    parts = [f'<text x="0" y="{top + 12}">{escape(one.night.name)}</text>']
    for page in one.pages:
        left, right = (_place(one, phases, at) * step + _NAME for at in (page.start, page.end))
        end = clock(page.end) if page.resolved else "the end"
        label = f"{clock(page.start)} to {end}: {page.kind}"
        parts.append(
            f'<rect x="{left:.1f}" y="{top + 3}" width="{max(2.0, right - left):.1f}" height="{_ROW - 6}" '
            f'fill="{_COLOURS[page.kind]}"><title>{label}</title></rect>'
        )
    return f"<g><title>{escape(night_text(one))}</title>{''.join(parts)}</g>"


def _place(one: AlertNight, phases: Sequence[str], at: int) -> float:
    """Return where a moment lies, in columns."""
    night = one.night
    for phase, end in zip(night.phases, night.ends(), strict=True):
        if at < end:
            return phases.index(phase.name) + max(0, at - phase.start) / (end - phase.start)
    return phases.index(night.phases[-1].name) + 1.0
