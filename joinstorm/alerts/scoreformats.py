"""A score as text, as JSON and as JUnit XML."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree import ElementTree as ET

import msgspec

from joinstorm.alerts.durations import duration_text
from joinstorm.alerts.requirement import Requirement
from joinstorm.alerts.scoring import AlertNight, AlertScore, Page

_NIGHTS_SHOWN: Final = 6
"""In the text table; JSON and HTML have every night."""
_HEAD: Final = ("alert", "recall", "precision", "detect", "reset", "flaps", "pages/incident", "pages/quiet night")


def as_text(scores: Sequence[AlertScore], required: Sequence[Requirement] = ()) -> str:  # noqa: ARG001 - one signature
    """Return the table for people, then night by night when each alert fired."""
    lines = table(scores)
    for score in scores:
        lines += ["", f"{score.name} (line {score.line}, expected: {score.expected})"]
        lines += [f"  {line}" for line in _nights(score)]
    return "\n".join(lines)


def table(scores: Sequence[AlertScore]) -> list[str]:
    """Return the lines of the table: a head, and one for each alert."""
    rows = [_HEAD, *(row(score) for score in scores)]
    widths = [max(len(cells[place]) for cells in rows) for place in range(len(_HEAD))]
    return [
        "  ".join(
            [
                f"{cells[0]:<{widths[0]}}",
                *(f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True)),
            ]
        )
        for cells in rows
    ]


def row(score: AlertScore) -> tuple[str, ...]:
    """Return the cells of an alert; times are the median and, where it differs, the greatest."""
    return (
        score.name,
        _share(score.recall),
        _share(score.precision),
        _times(score.times("detect")),
        _times(score.times("reset")),
        str(score.flaps),
        _pages(score.pages_per_night(incident=True)),
        _pages(score.pages_per_night(incident=False)),
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _pages(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _times(found: tuple[float, float] | None) -> str:
    if found is None:
        return "-"
    middle, most = map(duration_text, found)
    return middle if middle == most else f"{middle} … {most}"


def _nights(score: AlertScore) -> Iterator[str]:
    if score.unserved:
        yield f"not scored: it reads {', '.join(score.unserved)}, which no night has"
        return
    for one in score.nights[:_NIGHTS_SHOWN]:
        yield f"{one.night.name}: {night_text(one)}"
    if len(score.nights) > _NIGHTS_SHOWN:
        yield f"and {len(score.nights) - _NIGHTS_SHOWN} further nights (--format json or html has all)"


def night_text(one: AlertNight) -> str:
    """Return in words what an alert did in a night."""
    parts = [_page(page) for page in one.pages] or ["silent"]
    for incident in one.incidents:
        named = ",".join(incident.phases)
        parts.append(f"missed {named}" if incident.detect is None else f"{named} +{duration_text(incident.detect)}")
    return "; ".join(parts)


def _page(page: Page) -> str:
    end = clock(page.end) if page.resolved else "the end"
    return f"{clock(page.start)} to {end}{'' if page.kind == 'right' else f' ({page.kind}, in {page.phase})'}"


def clock(at: int) -> str:
    """Return event time (ms) as a clock shows it, UTC."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M:%S}"


def as_json(scores: Sequence[AlertScore], required: Sequence[Requirement] = ()) -> str:
    """Return every figure and every page; times in milliseconds."""
    return msgspec.json.encode([_figures(score, required) for score in scores]).decode()


def _figures(score: AlertScore, required: Sequence[Requirement]) -> dict[str, Any]:
    detect, reset = score.times("detect"), score.times("reset")
    return {
        "alert": score.name,
        "line": score.line,
        "expected": str(score.expected),
        "unserved": score.unserved,
        "recall": score.recall,
        "precision": score.precision,
        "detect_ms": None if detect is None else {"median": detect[0], "worst": detect[1]},
        "reset_ms": None if reset is None else {"median": reset[0], "worst": reset[1]},
        "flaps": score.flaps,
        "right_pages": score.pages("right"),
        "false_pages": score.pages("false"),
        "pages_per_incident_night": score.pages_per_night(incident=True),
        "pages_per_quiet_night": score.pages_per_night(incident=False),
        "unmet": [text for one in required if (text := one.complaint(score)) is not None],
        "nights": [
            {
                "scenario": one.night.scenario,
                "scale": one.night.scale,
                "seed": one.night.seed,
                "pages": msgspec.to_builtins(one.pages),
                "incidents": msgspec.to_builtins(one.incidents),
            }
            for one in score.nights
        ],
    }


def as_junit(scores: Sequence[AlertScore], required: Sequence[Requirement] = ()) -> str:
    """Return a test suite for each alert: a case for every requirement, and what happened as its output."""
    root = ET.Element("testsuites", name="joinstorm alerts score")
    for score in scores:
        failed = [(str(one), one.complaint(score)) for one in required]
        left_out = f"it reads {', '.join(score.unserved)}, which no night has" if score.unserved else ""
        suite = ET.SubElement(
            root, "testsuite", name=score.name, tests=str(len(failed) or 1),
            failures=str(sum(text is not None for _, text in failed)), errors="0",
            skipped=str((len(failed) or 1) if left_out else 0),
        )  # fmt: skip
        for name, text in failed or [("scored", None)]:
            case = ET.SubElement(suite, "testcase", classname=score.name, name=name)
            if left_out:
                ET.SubElement(case, "skipped", message=left_out)
            elif text is not None:
                ET.SubElement(case, "failure", message=text)
        cells = zip(_HEAD, row(score), strict=True)
        nights = [f"{one.night.name}: {night_text(one)}" for one in score.nights]
        output = [*(f"{name}: {cell}" for name, cell in cells), *nights]
        ET.SubElement(suite, "system-out").text = "\n".join(output)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)
