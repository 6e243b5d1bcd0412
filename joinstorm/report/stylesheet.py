"""The report's style sheet: light or dark like the reader's system, and plain in print."""

CSS = """
:root { --paper: #ffffff; --ink: #1b1f24; --soft: #5b6570; --faint: #9aa3ad; --band: #eef1f4; --line: #dde2e7;
  --good: #00795a; --bad: #b84a00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e6e9ec; --soft: #a3adb7; --faint: #6c7782; --band: #1d2227; --line: #2d343b;
    --good: #2fbf93; --bad: #ff9a57; }
}
@media screen and (prefers-color-scheme: dark) {
  figure svg, .chart canvas { filter: brightness(1.25); }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 32px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 21px; margin: 56px 0 4px; }
p { margin: 0 0 12px; max-width: 78ch; }
.soft { color: var(--soft); }
.verdict { display: flex; gap: 16px; align-items: baseline; flex-wrap: wrap; margin: 20px 0 28px; padding: 14px 18px;
  border-left: 5px solid var(--tone); background: var(--band); }
.verdict strong { font-size: 22px; color: var(--tone); white-space: nowrap; }
.exact { --tone: var(--good); }
.wrong { --tone: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 22px 28px; }
.card b { display: block; font-size: 29px; line-height: 1.15; font-weight: 650; letter-spacing: -0.01em; }
.card span { display: block; }
.card small { display: block; color: var(--soft); font-size: 13.5px; line-height: 1.4; }
figure { margin: 20px 0 0; }
figure svg { display: block; height: auto; }
.deck { position: sticky; top: 0; z-index: 200; display: flex; flex-wrap: wrap; gap: 6px 18px; align-items: center;
  margin: 14px 0 0; padding: 8px 0; background: var(--paper); border-bottom: 1px solid var(--line); }
.deck output { flex: 1 1 20em; font-weight: 600; font-variant-numeric: tabular-nums; min-height: 1.5em; }
.deck label { flex: 1 1 16em; display: flex; gap: 10px; align-items: center; }
.deck input { flex: 1; min-width: 0; height: 32px; accent-color: var(--good); }
.deck button { min-width: 40px; min-height: 36px; padding: 0 10px; font: inherit; color: var(--ink);
  background: var(--band); border: 1px solid var(--faint); border-radius: 6px; }
.live h3 { font-size: 15px; margin: 18px 0 2px; }
.chart .u-legend { text-align: left; font-size: 13.5px; color: var(--ink); margin: 0; }
.chart .u-legend tr { margin-right: 14px; }
.chart .u-legend th, .chart .u-legend td { border: 0; padding: 2px 3px; color: var(--ink); }
.chart .u-legend .u-value { font-weight: 600; min-width: 4.5em; }
.chart .u-legend tr:first-child, .chart .u-legend .truth { display: none; }
.uplot, .u-wrap * { font-family: inherit; }
.u-cursor-x { border-color: var(--ink) !important; }
.u-select { background: var(--ink); opacity: 0.12; }
@media screen {
  .drawn figure { display: none; }
}
@media screen and (max-width: 700px) {
  main { padding: 20px 14px 48px; }
  h1 { font-size: 26px; }
  h2 { margin-top: 40px; }
  figure { overflow-x: auto; }
  figure svg { min-width: 760px; }
  .cards { grid-template-columns: repeat(2, 1fr); gap: 18px 16px; }
  .card b { font-size: 24px; }
  .rows thead { display: none; }
  .rows tr { display: block; padding: 8px 0; border-bottom: 1px solid var(--line); }
  .rows td { display: block; border: 0; padding: 2px 0; overflow-wrap: anywhere; }
  .rows td.number { text-align: left; white-space: normal; }
  .rows td:empty { display: none; }
  .rows td[data-head]:not([data-head=""])::before { content: attr(data-head) ": "; color: var(--soft); }
}
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin-top: 12px; font-size: 14.5px;
  font-variant-numeric: tabular-nums; }
td small { color: var(--soft); }
th { text-align: left; font-weight: 600; color: var(--soft); border-bottom: 1.5px solid var(--faint); }
th, td { padding: 6px 14px 6px 0; vertical-align: top; }
td { border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; white-space: nowrap; }
.ok { color: var(--good); font-weight: 600; }
.no { color: var(--bad); font-weight: 600; }
code, pre { font: 13.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--band); padding: 12px 16px; margin: 12px 0; white-space: pre-wrap; }
@media print {
  :root { --paper: #ffffff; --ink: #1b1f24; --soft: #5b6570; --faint: #9aa3ad; --band: #eef1f4; --line: #dde2e7;
    --good: #00795a; --bad: #b84a00; }
  body { font-size: 11pt; }
  main { padding: 0; max-width: none; }
  h1, h2, h3, h2 + p { break-after: avoid; }
  .picture, figure, .card, tr, pre { break-inside: avoid; }
  .picture, h2 { margin-top: 24px; }
  .picture h2 { margin-top: 0; }
  figure svg { max-height: 215mm; }
  .live { display: none; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  th, td { padding: 3px 10px 3px 0; }
  .rows td:first-child:not(:nth-last-child(2)) { min-width: 38mm; }
  .rows td:nth-child(3):not(:last-child) { min-width: 30mm; }
}
"""
