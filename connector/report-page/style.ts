/** The page's only style sheet. Colours are chosen so that text has a contrast of 4.5 or more on all grounds, in light and in dark. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f7f7f4; --card: #ffffff; --ink: #1c2126; --soft: #59616b; --line: #dedfd9; --code: #f0f0eb;
  --bar: #4d74a8; --good: #1b7046; --warn: #835200; --bad: #b0261e; --link: #2b5a99;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #121518; --card: #1a1e22; --ink: #e4e7ea; --soft: #a1a9b2; --line: #2e343a; --code: #23282d;
    --bar: #7da4d9; --good: #6cc795; --warn: #e3b45c; --bad: #ff8f85; --link: #9cc0f0;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; padding: clamp(1rem, 3vw, 2.5rem); background: var(--paper); color: var(--ink);
  font: .9rem/1.5 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
body > * { max-width: 74rem; margin-inline: auto; }
h1, h2, h3, p, dl, dd, ol, figure { margin: 0; padding: 0; }
h1 { font-size: clamp(1.5rem, 1.1rem + 1.6vw, 2.1rem); line-height: 1.2; letter-spacing: -0.015em; font-weight: 650; text-wrap: balance; }
h2 { font-size: 1.05rem; font-weight: 650; margin-bottom: .6rem; }
h3 { font-size: 1rem; font-weight: 600; }
a { color: var(--link); text-underline-offset: .15em; text-decoration-thickness: 1px; }
code { font: .92em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
section { margin-top: 2.2rem; }
section > p + p { margin-top: .5rem; }
.soft { color: var(--soft); }
.brand { color: var(--soft); margin-bottom: .5rem; }
.meta { margin-top: .5rem; color: var(--soft); overflow-wrap: anywhere; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .3rem .6rem; }

.figures { display: grid; grid-template-columns: repeat(8, minmax(0, 1fr)); margin-top: 1.6rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.figures > div { box-shadow: 1px 1px 0 var(--line); padding: .7rem .8rem; display: flex; flex-direction: column; }
.figures dt { color: var(--soft); font-size: .86rem; }
.figures .value { overflow-wrap: anywhere; font-size: 1.2rem; line-height: 1.4; font-weight: 600; letter-spacing: -0.01em; }
.figures .more { color: var(--soft); font-size: .86rem; overflow-wrap: anywhere; }

.attention { list-style: none; display: grid; gap: .6rem; }
.attention li { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--tone); border-radius: 6px; padding: .7rem .9rem .75rem; }
.attention h3 { display: flex; flex-wrap: wrap; gap: .1rem .6rem; align-items: baseline; }
.attention p { margin-top: .3rem; max-width: 62rem; overflow-wrap: anywhere; }
.level { color: var(--tone); font-size: .86rem; font-weight: 650; }
.act, .bad { --tone: var(--bad); } .look, .unfinished { --tone: var(--warn); } .know, .none { --tone: var(--soft); } .good { --tone: var(--good); }
.command { display: block; margin-top: .45rem; padding: .4rem .6rem; background: var(--code); border-radius: 4px; user-select: all; }
.names { display: flex; flex-wrap: wrap; gap: .1rem .8rem; margin-top: .3rem; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: .9rem; }
figure { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .8rem .4rem; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: .2rem; }
svg { display: block; width: 100%; height: auto; }

table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--soft); padding-bottom: .5rem; }
th, td { padding: .36rem .55rem; text-align: right; vertical-align: baseline; border-bottom: 1px solid var(--line); font-weight: 400; white-space: nowrap; }
thead th { color: var(--soft); font-size: .86rem; vertical-align: bottom; border-bottom-color: var(--soft); }
th:first-child, td:first-child, .left { text-align: left; }
tbody tr:hover { background: color-mix(in srgb, var(--code) 60%, transparent); }
.streams th:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 7.5rem; }
.streams:not(:has(td + td)) { width: auto; }
.streams svg { width: 7rem; display: inline-block; vertical-align: middle; }
.state { color: var(--tone); font-weight: 600; }
.state::before { content: "●"; font-size: .7em; margin-right: .45em; vertical-align: .12em; }
.state.bad::before { content: "✕"; } .state.unfinished::before { content: "◐"; } .state.none::before { content: "○"; }
.scroll { overflow-x: auto; }
.reasons th:first-child { white-space: normal; min-width: 7rem; }
.reasons td:last-child { white-space: normal; }

details { background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
details + details { border-top: 0; border-top-left-radius: 0; border-top-right-radius: 0; }
details:has(+ details) { border-bottom-left-radius: 0; border-bottom-right-radius: 0; }
.charts + details { margin-top: .9rem; }
summary { cursor: pointer; padding: .42rem .9rem .42rem 1.9rem; display: flex; flex-wrap: wrap; gap: .1rem 1rem; align-items: baseline; position: relative; }
summary h3 { overflow-wrap: anywhere; }
summary::before { content: "▸"; color: var(--soft); position: absolute; left: .9rem; } details[open] > summary::before { content: "▾"; }
summary::-webkit-details-marker { display: none; }
.inside { scroll-margin-top: 4rem; padding: .2rem .9rem 1rem; display: grid; gap: 1.1rem; grid-template-columns: minmax(0, 1fr); }
.inside figure { padding: 0; border: 0; }
.position { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .5rem 1.2rem; }
.position .long { grid-column: 1 / -1; }
.position dt { color: var(--soft); font-size: .86rem; }
.position dd { overflow-wrap: anywhere; }
footer { margin-top: 2.5rem; padding-top: .9rem; border-top: 1px solid var(--line); color: var(--soft); }

@media (max-width: 70rem) { .wide { display: none; } .figures { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
@media (max-width: 44rem) { .middle { display: none; } .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); } th, td { padding-inline: .3rem; } .streams { font-size: .82rem; } .streams td, .streams th { padding: .5rem .2rem; } .streams th:first-child { min-width: 5rem; } }
@media print {
  :root {
    --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --code: #f2f2f2;
    --bar: #4d74a8; --good: #1b7046; --warn: #835200; --bad: #b0261e; --link: #000;
  }
  html { font-size: 10px; }
  body { padding: 0; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .middle, .wide { display: table-cell; }
  .charts { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .figures { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  details::details-content { content-visibility: visible; }
  li, figure, tr, .figures { break-inside: avoid; }
  .skip { display: none; }
  th, td { padding: .2rem .4rem; }
}
`;
