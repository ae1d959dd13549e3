// Parts of an HTML page: style, table, figure, list of facts.

import { escapeHtml } from './chart.ts';

/** Eight colours that are distinct in dark and light, and for most colour-blind readers. */
const COLOURS = [
  '#3b7dd8',
  '#d9822b',
  '#3a9a5b',
  '#b5476e',
  '#8062c9',
  '#4aa6a6',
  '#a58a2a',
  '#7a7f87',
];

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1e21; --faint: #6b7280; --line: #dfe2e6; --page: #ffffff; --panel: #f6f7f9; --good: #2c7a3f; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --faint: #9aa2ad; --line: #363b43; --page: #15171a; --panel: #1d2024; --good: #6fcf86; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 0 0 .5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { color: var(--faint); font-weight: 600; }
tr.action td { color: var(--faint); } .scroll { overflow-x: auto; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; } dt { color: var(--faint); } dd { margin: 0; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; margin: 1rem 0; }
figure { margin: 0; padding: .8rem; background: var(--panel); border-radius: 8px; }
figcaption { color: var(--faint); font-size: .9rem; } ul { margin: .3rem 0; padding-left: 1.2rem; }
svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--line); } .tick { fill: var(--faint); font-size: 11px; } .axis { fill: var(--faint); font-size: 11px; }
.line { fill: none; stroke-width: 2; } .dot { fill: transparent; stroke: none; } .dot:hover { fill: currentColor; }
.bar { opacity: .85; } .whisker { stroke: var(--ink); stroke-width: 1.5; } .mark { stroke: var(--ink); stroke-dasharray: 3 3; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .35em; }
${COLOURS.map((colour, at) => `.line.c${at} { stroke: ${colour}; } .bar.c${at} { fill: ${colour}; } .dot.c${at} { color: ${colour}; } .key.c${at} { background: ${colour}; }`).join('\n')}
@media print { body { max-width: none; } figure { break-inside: avoid; } }
`;

export const COLOURS_COUNT: number = COLOURS.length;

/** Returns a whole HTML page without script, and without fonts or pictures from elsewhere. */
export function page(title: string, body: string): string {
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n' +
    `<title>${escapeHtml(title)}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n${body}\n</body>\n</html>\n`
  );
}

/** Returns a table. A row whose first cell begins with a space is set back. */
export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string) =>
    row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('');
  const lines = rows.map((row) => {
    const style = row[0]?.startsWith(' ') ? ' class="action"' : '';
    return `<tr${style}>${cells(row, 'td')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${lines.join('\n')}</tbody></table></div>`;
}

/** Returns a chart in its frame, with a key if there are several lines. */
export function figure(
  title: string,
  svg: string,
  keys: readonly { readonly label: string; readonly colour: number }[] = [],
): string {
  const key =
    keys.length < 2
      ? ''
      : keys
          .map(({ label, colour }) => `<span class="key c${colour}"></span>${escapeHtml(label)}`)
          .join(' &nbsp; ');
  return `<figure><h3>${escapeHtml(title)}</h3>${svg}<figcaption>${key}</figcaption></figure>`;
}

export function factList(facts: readonly (readonly [string, string])[]): string {
  const rows = facts.filter(([, value]) => value !== '');
  return `<dl>${rows.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`;
}
