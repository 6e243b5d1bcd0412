"""A certificate as text, JSON and a page."""

from pathlib import Path
from typing import Final

import msgspec

from joinstorm.conformance.certificate import Certificate, PointOutcome
from streams.visible import escape

_HEAD: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem .6rem }}
tr {{ border-bottom: 1px solid #ddd }} pre {{ white-space: pre-wrap; font-size: .85rem }}
.exact {{ color: #0a5c2b }} .wrong, .failed {{ color: #9c1c1c; font-weight: 600 }} .unsupported {{ color: #555 }}
</style></head><body>
"""


def to_json(certificate: Certificate) -> bytes:
    """Return it as JSON, indented."""
    return msgspec.json.format(msgspec.json.encode(_whole(certificate)), indent=2) + b"\n"


def _whole(certificate: Certificate) -> dict[str, object]:
    return {"exact": certificate.exact, "verdict": certificate.verdict, **msgspec.structs.asdict(certificate)}


def to_text(certificate: Certificate) -> str:
    """Return it as lines for a terminal."""
    lines = [_title(certificate)]
    lines += [line_of(outcome) for outcome in certificate.outcomes]
    if certificate.limits:
        lines.append(f"by design: {certificate.limits}")
    lines.append(
        f"{', '.join(f'{name} {value}' for name, value in {**certificate.versions, **certificate.machine}.items())}"
    )
    return "\n".join(lines)


def line_of(outcome: PointOutcome) -> str:
    """Return one point; what is wrong follows on further lines."""
    lines = [f"  {outcome.status:<11} {outcome.point:<16} {outcome.seconds:6.1f} s  {outcome.says}"]
    if outcome.detail:
        lines += [f"{'':14}{line}" for line in (outcome.detail + _share(outcome)).splitlines()]
    lines += [f"{'':14}{mismatch}" for mismatch in outcome.named]
    return "\n".join(lines)


def _share(outcome: PointOutcome) -> str:
    if not outcome.off_by:
        return ""
    return (
        f"; off by {outcome.off_by:,} of {outcome.counted:,} counted ({outcome.off_by / max(1, outcome.counted):.2%})"
    )


def _made_with(certificate: Certificate) -> str:
    facts = {**certificate.versions, **certificate.machine}
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def _title(certificate: Certificate) -> str:
    return f"Certificate of the engine {certificate.engine}: {certificate.verdict}, {certificate.made}"


def to_html(certificate: Certificate) -> str:
    """Return it as one self-contained page."""
    title = escape(_title(certificate))
    rows = "".join(_row(outcome) for outcome in certificate.outcomes)
    limits = f"<p>By design: {escape(certificate.limits)}</p>" if certificate.limits else ""
    return (
        f"{_HEAD.format(title=title)}<h1>{title}</h1>\n<table>\n"
        "<tr><th>point</th><th>outcome</th><th>an exact engine</th><th>seconds</th></tr>\n"
        f"{rows}</table>\n{limits}<p>{escape(_made_with(certificate))}</p>\n</body></html>\n"
    )


def _row(outcome: PointOutcome) -> str:
    lines = [line for line in (outcome.detail + _share(outcome), *map(str, outcome.named)) if line]
    status = escape(outcome.status)
    more = f"<pre>{escape(chr(10).join(lines))}</pre>" if lines else ""
    return (
        f'<tr><td>{escape(outcome.point)}</td><td class="{status.split()[0]}">{status}</td>'
        f"<td>{escape(outcome.says)}{more}</td><td>{outcome.seconds:.1f}</td></tr>\n"
    )


def write(certificate: Certificate, folder: Path) -> list[Path]:
    """Write ``certificate.json``, ``.txt`` and ``.html`` into a folder and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"json": to_json(certificate).decode(), "txt": to_text(certificate) + "\n", "html": to_html(certificate)}
    paths = []
    for suffix, text in texts.items():
        path = folder / f"certificate.{suffix}"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths
