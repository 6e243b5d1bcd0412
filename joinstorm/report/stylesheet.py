"""The report's style sheet: light or dark like the reader's system, and plain in print."""

CSS = """
:root { --paper: #ffffff; --ink: #1b1f24; --soft: #5b6570; --faint: #9aa3ad; --band: #eef1f4; --line: #dde2e7;
  --good: #00795a; --bad: #b84a00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e6e9ec; --soft: #a3adb7; --faint: #6c7782; --band: #1d2227; --line: #2d343b;
    --good: #2fbf93; --bad: #ff9a57; }
}
@media screen and (prefers-color-scheme: dark) {
  figure svg { filter: brightness(1.25); }
}
@media print {
  :root { --paper: #ffffff; --ink: #1b1f24; --soft: #5b6570; --faint: #9aa3ad; --band: #eef1f4; --line: #dde2e7;
    --good: #00795a; --bad: #b84a00; }
  figure, .cards, table { break-inside: avoid; }
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
"""
