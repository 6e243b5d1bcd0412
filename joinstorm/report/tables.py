"""The tables of the report: the facts, the verdict, the differences, and the stages."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from joinstorm.facts.factformats import accepted, figure, known_as, what_if
from joinstorm.facts.facttable import MEASURES, FactRow
from joinstorm.verdict.comparison import Mismatch, OptionalComparison
from joinstorm.verdict.verdicts import Verdict, missing_named
from streams.visible import escape

_MARKS: Final = {True: '<span class="ok">holds</span>', False: '<span class="no">does not</span>', None: ""}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """Return a table of HTML cells; ``numbers`` are the columns to align right."""
    head = f"<thead><tr>{_cells('th', heads, numbers)}</tr></thead>" if any(heads) else ""
    body = "".join(f"<tr>{_cells('td', row, numbers, heads)}</tr>" for row in rows)
    return f'<div class="scroll"><table class="rows">{head}<tbody>{body}</tbody></table></div>'


def _cells(tag: str, row: Sequence[str], numbers: Sequence[int], heads: Sequence[str] = ()) -> str:
    """Return the cells of a row; with ``heads`` each names its column, for screens too narrow for columns."""
    named = [f' data-head="{head}"' for head in heads] or [""] * len(row)
    return "".join(
        f"<{tag}{' class=number' if column in numbers else ''}{named[column]}>{cell}</{tag}>"
        for column, cell in enumerate(row)
    )


def facts(rows: Sequence[FactRow], scale: float) -> str:
    """Return the known facts with the tape's figures; empty where nothing is known."""
    if not rows:
        return ""
    unjudged = what_if(rows)
    parts = unjudged or ["Where the sources give no figure, the tape's figure is shown and not judged."]
    text = " ".join([*parts, *["Counts of this tape are projected to full size."] * (scale != 1)])
    title = f"Beside what is {known_as(rows)}" if unjudged else "Compared with known facts"
    heads = ("known fact", "source", "measured as", known_as(rows), "this tape", "")
    body = table([escape(head) for head in heads], map(_fact, rows), (3, 4))
    return f'<h2>{escape(title)}</h2>\n<p class="soft">{escape(text)}</p>\n{body}'


def _fact(row: FactRow) -> Sequence[str]:
    if row.fact.measure is None:
        return escape(row.fact.fact), escape(row.fact.kind), "", "", "", ""
    measured = MEASURES[row.fact.measure]
    label = f"{escape(measured.label)} <small>({escape(measured.unit)})</small>"
    figures = (escape(accepted(row)), escape(figure(row.value)), _MARKS[row.holds])
    return escape(row.fact.fact), escape(row.fact.kind), label, *figures


def _optional(found: OptionalComparison) -> str:
    return f"{found.compared:,}, of which {found.mismatches:,} differ" if found.published else "none are published"


def verdict(found: Verdict, *, paced: bool) -> str:
    """Return the comparison and its result, every named difference, and the time of each stage.

    ``paced``: whether the replay kept to a speed, so that being on time has a meaning.
    """
    rows = [
        ("digest of the engine", f"<code>{escape(found.digest)}</code>"),
        ("digest of the truth", f"<code>{escape(found.truth_digest)}</code>"),
        ("events counted", f"{found.events:,}"),
        ("counts compared", f"{found.records_compared:,}, of which {found.differing:,} differ"),
        ("durations compared", _optional(found.durations)),
        ("breakdowns compared", _optional(found.breakdowns)),
    ]
    if found.stance_agreement is not None:
        rows.append(("stances (an estimate)", f"{found.stance_agreement:.1%} of the tweets agree"))
    if paced and found.on_time_ratio is not None:
        rows.append(
            ("on time", f"{found.on_time_ratio:.2%} of the paced events were sent within 100 ms of their due time")
        )
    for kind, counts in found.faults.items():
        rows += [(f"faults {escape(kind)}: {escape(name)}", f"{count:,}") for name, count in counts.items()]
    if found.missing_events:
        rows.append(("events never sent, and missing from the truth as well", escape(missing_named(found))))
    return f"<h2>The verdict</h2>\n{table((), rows)}{''.join(_wrong(found))}{_stages(found)}"


def _stages(found: Verdict) -> str:
    if not found.seconds:
        return ""
    rates = found.events_per_second
    rows = [
        (escape(stage), f"{seconds:,.1f}", f"{rates[stage]:,.0f}" if stage in rates else "")
        for stage, seconds in found.seconds.items()
    ]
    rows += [(escape(stage), "", f"{rate:,.0f}") for stage, rate in rates.items() if stage not in found.seconds]
    return table(("stage", "seconds", "events per second"), rows, (1, 2))


def _wrong(found: Verdict) -> Iterator[str]:
    for text in (*found.problems, *found.remarks):
        yield f"<p>{escape(text)}</p>"
    named = found.mismatches_named
    if named:
        first = f", the first {len(named)} by time" if found.mismatches > len(named) else ""
        yield f"<p>Differences{first}:</p>"
        heads = ("window", "phase", "table", "room or subject", "count", "expected", "found", "")
        yield table(heads, map(_mismatch, named), (5, 6))


def _mismatch(mismatch: Mismatch) -> Sequence[str]:
    place = (escape(part) for part in (mismatch.time, mismatch.phase, mismatch.table, mismatch.name, mismatch.count))
    return *place, f"{mismatch.expected:,}", f"{mismatch.found:,}", escape(mismatch.note)
