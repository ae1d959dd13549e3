// Common elements of the views: times, keys, badges, cards and tables.

import { encoded, shortened } from './bech32.ts';
import { copyButton } from './copy.ts';
import { distance, moment } from './format.ts';
import { type Child, make } from './make.ts';

/** Time (seconds since 1970) as a distance that `renewTimes` updates; the title has the time. */
export function when(at: number | null, otherwise = '–'): HTMLElement {
  if (at === null) return make('span', { class: 'muted' }, otherwise);
  const date = new Date(at * 1000);
  const iso = Number.isNaN(date.getTime()) ? null : date.toISOString();
  return make(
    'time',
    { datetime: iso, title: moment(at), 'data-at': at, class: 'nowrap' },
    distance(at),
  );
}

/** Updates the distances of all times in an element. */
export function renewTimes(within: ParentNode): void {
  for (const time of within.querySelectorAll<HTMLElement>('time[data-at]')) {
    const text = distance(Number(time.dataset.at));
    if (time.textContent !== text) time.textContent = text;
  }
}

/** Public key: a link to its view, and a copy button. */
export function person(pubkey: string): HTMLElement {
  return keyLink(pubkey, 'npub', (npub) => `#/person/${npub}`, 'the public key');
}

/** Event id: a link to the event, and a copy button. */
export function eventLink(id: string): HTMLElement {
  return keyLink(id, 'note', () => `#/event/${id}`, 'the event id');
}

/** Link for 64 hex digits in their bech32 form; other text is shown unchanged, without a link. */
function keyLink(
  hex: string,
  prefix: 'npub' | 'note',
  address: (bech32: string) => string,
  what: string,
): HTMLElement {
  if (!/^[0-9a-f]{64}$/.test(hex)) return make('code', null, hex);
  const bech32 = encoded(prefix, hex);
  return make(
    'span',
    { class: 'key' },
    make('a', { href: address(bech32), title: bech32 }, make('code', null, shortened(bech32))),
    copyButton(bech32, what),
  );
}

export function badge(text: Child, kind: '' | 'good' | 'warning' | 'bad' = ''): HTMLElement {
  return make('span', { class: `badge ${kind}`.trim() }, text);
}

/** Section with a heading. */
export function card(title: Child, ...children: readonly Child[]): HTMLElement {
  return make('section', { class: 'card stack' }, make('h2', null, title), ...children);
}

/** Description list (`<dl>`) of names and values. */
export function facts(pairs: readonly (readonly [string, Child])[]): HTMLElement {
  const rows = pairs.map(([name, value]) =>
    make('div', null, make('dt', null, name), make('dd', null, value)),
  );
  return make('dl', { class: 'facts' }, ...rows);
}

/** Column of a table: its heading; `number`: its cells are numbers. */
type Column = string | { name: string; number: true };

/** Table in a scrolling frame; `rows` is its body. */
export function table(
  name: string,
  columns: readonly Column[],
  rows: readonly HTMLTableRowElement[] = [],
): { frame: HTMLElement; rows: HTMLElement } {
  const head = columns.map((column) =>
    typeof column === 'string'
      ? make('th', { scope: 'col' }, column)
      : make('th', { scope: 'col', class: 'number' }, column.name),
  );
  const body = make('tbody', null, ...rows);
  const frame = make(
    'div',
    { class: 'table-frame', tabindex: 0, role: 'region', 'aria-label': name },
    make('table', null, make('thead', null, make('tr', null, ...head)), body),
  );
  return { frame, rows: body };
}

/** Row of a table; a `Numeric` cell is aligned to the right. */
export function row(...cells: readonly (Child | Numeric)[]): HTMLTableRowElement {
  return make(
    'tr',
    null,
    ...cells.map((cell) =>
      cell instanceof Numeric ? make('td', { class: 'number' }, cell.text) : make('td', null, cell),
    ),
  );
}

/** Table cell with a number. */
export class Numeric {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Fill level as a bar (`<meter>`), with a name for screen readers. */
export function fullness(name: string, used: number, max: number): HTMLElement {
  return make('meter', {
    min: 0,
    max: max > 0 ? max : 1,
    high: max * 0.8,
    optimum: 0,
    value: used,
    'aria-label': name,
  });
}
