// Charts of the overview, drawn by uPlot from the samples of the feed.

import uPlot from '../vendor/uplot.ts';
import type { Feed } from './feed.ts';
import { fill, freshId, make } from './make.ts';

/** Line of a chart. */
interface Line {
  /** Name of the series in the history. */
  readonly series: string;
  readonly name: string;
  /** Factor from the values of the history to those shown. */
  readonly scale?: number;
}

/** Options of a chart over time. */
export interface ChartOptions {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Formats a value. */
  readonly text: (value: number) => string;
  /** Lower bound of the upper end of the scale, so that small values do not look large. */
  readonly least: number;
}

const HEIGHT = 150;
const LEAST_SECONDS = 60;
const COLOURS = ['--series-1', '--series-2', '--series-3'];
const DASHES = [[], [6, 3], [2, 3]];

/** Chart that is redrawn by `draw`, and if its size or the colour scheme changes. */
export class Chart {
  readonly place: HTMLElement;
  readonly #options: ChartOptions;
  readonly #feed: Feed;
  readonly #canvas = make('div', { class: 'canvas', role: 'img' });
  readonly #values: HTMLElement[];
  #plot: uPlot | null = null;
  #seconds = 900;

  constructor(options: ChartOptions, feed: Feed, left: AbortSignal) {
    this.#options = options;
    this.#feed = feed;
    const id = freshId();
    this.#values = options.lines.map(() => make('b', { class: 'number' }, '–'));
    const legend = options.lines.map(({ name }, line) =>
      make(
        'span',
        { class: `legend line-${line + 1}` },
        make('i', { 'aria-hidden': 'true' }),
        name,
        ' ',
        this.#values[line]!,
      ),
    );
    this.place = make(
      'figure',
      { class: 'chart', 'aria-labelledby': id },
      make(
        'figcaption',
        null,
        make('h2', { id }, options.title),
        make('div', { class: 'legends' }, ...legend),
      ),
      this.#canvas,
    );
    const sizes = new ResizeObserver(() => this.#resize());
    sizes.observe(this.#canvas);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const recolour = () => {
      this.#plot?.destroy();
      this.#plot = null;
      this.draw(this.#seconds);
    };
    scheme.addEventListener('change', recolour, { signal: left });
    left.addEventListener('abort', () => {
      sizes.disconnect();
      this.#plot?.destroy();
      this.#plot = null;
    });
  }

  /** Draws the last `seconds` seconds. */
  draw(seconds: number): void {
    this.#seconds = seconds;
    const { at } = this.#feed;
    const last = at.at(-1) ?? Date.now();
    // Shortly after the start of the relay the few samples may fill the whole width.
    const known = (last - (at[0] ?? last)) / 1000;
    const shown = Math.min(seconds, Math.max(known, LEAST_SECONDS));
    const from = last - shown * 1000;
    const first = Math.max(
      0,
      at.findIndex((one) => one >= from),
    );
    const times = at.slice(first).map((one) => one / 1000);
    const columns = this.#options.lines.map(({ series, scale = 1 }) =>
      (this.#feed.series.get(series) ?? [])
        .slice(first)
        .map((value) => (value === null ? null : value * scale)),
    );
    this.#say(columns);
    const plot = this.#ensure();
    if (plot === null) return;
    plot.batch(() => {
      plot.setData([times, ...columns], false);
      plot.setScale('x', { min: last / 1000 - shown, max: last / 1000 });
      plot.setScale('y', { min: 0, max: this.#top(columns) });
    });
  }

  #top(columns: readonly (readonly (number | null)[])[]): number {
    let top = this.#options.least;
    for (const column of columns)
      for (const value of column) top = Math.max(top, (value ?? 0) * 1.1);
    return top;
  }

  /** Shows the last values in the legend, and sets a sentence for screen readers. */
  #say(columns: readonly (readonly (number | null)[])[]): void {
    const { lines, text, title } = this.#options;
    const sentences = columns.map((column, line) => {
      const last = column.at(-1) ?? null;
      fill(this.#values[line]!, last === null ? '–' : text(last));
      const known = column.filter((value) => value !== null);
      if (known.length === 0) return `${lines[line]!.name}: no data`;
      const range = `${text(Math.min(...known))} to ${text(Math.max(...known))}`;
      return `${lines[line]!.name}: ${range}${last === null ? '' : `, now ${text(last)}`}`;
    });
    this.#canvas.setAttribute('aria-label', `${title}. ${sentences.join('; ')}.`);
  }

  #resize(): void {
    const width = this.#canvas.clientWidth;
    if (width === 0) return;
    if (this.#plot === null) this.draw(this.#seconds);
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT });
  }

  #ensure(): uPlot | null {
    const width = this.#canvas.clientWidth;
    if (this.#plot !== null || width === 0) return this.#plot;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const { lines, text } = this.#options;
    const axis = {
      stroke: colour('--muted'),
      font: `11px ${colour('--font')}`,
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const show = (_plot: uPlot, value: number | null) => (value === null ? '–' : text(value));
    this.#plot = new uPlot(
      {
        width,
        height: HEIGHT,
        legend: { show: false },
        padding: [8, 18, 0, 0],
        cursor: { points: { size: 6 }, drag: { x: false, y: false } },
        scales: { x: { time: true }, y: { auto: false } },
        axes: [
          { ...axis, size: 22, gap: 4, space: 70, values: clockTexts },
          { ...axis, size: 58, gap: 6, space: 32, values: (_plot, ticks) => ticks.map(text) },
        ],
        series: [
          {},
          ...lines.map(({ name }, line) => ({
            label: name,
            stroke: colour(COLOURS[line]!),
            width: 1.75,
            dash: DASHES[line]!,
            points: { show: false },
            value: show,
            ...(line === 0 ? { fill: `${colour(COLOURS[0]!)}1a` } : {}),
          })),
        ],
        hooks: { setCursor: [(plot) => this.#point(plot)] },
      },
      [[], ...lines.map(() => [])],
      this.#canvas,
    );
    return this.#plot;
  }

  /** Shows the values under the pointer in the legend, or the last ones. */
  #point(plot: uPlot): void {
    const index = plot.cursor.idx ?? null;
    this.#options.lines.forEach((_line, line) => {
      const column = plot.data[line + 1] ?? [];
      const value = index === null ? column.at(-1) : column[index];
      fill(
        this.#values[line]!,
        value === null || value === undefined ? '–' : this.#options.text(value),
      );
    });
  }
}

function clockTexts(_plot: uPlot, ticks: number[]): string[] {
  return ticks.map((at) => {
    const date = new Date(at * 1000);
    const two = (value: number) => String(value).padStart(2, '0');
    const seconds = date.getSeconds();
    return `${two(date.getHours())}:${two(date.getMinutes())}${seconds === 0 ? '' : `:${two(seconds)}`}`;
  });
}
