// Charts as SVG text.

/** Line of a chart. */
interface Line {
  readonly label: string;
  /** Index of one of the report's colours, 0 … 7. */
  readonly colour: number;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Axis of a chart. */
interface Axis {
  readonly title: string;
  readonly scale: 'linear' | 'log';
  /** Positions and texts of the marks; the first and the last are the ends of the axis. */
  readonly ticks: readonly (readonly [value: number, text: string])[];
}

const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 68;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 40;

/**
 * Returns a line chart as SVG text. It has no script and no style of its own: colours come from the
 * page's classes, and every point shows its values in a tooltip.
 */
export function lineChart(
  x: Axis,
  y: Axis,
  lines: readonly Line[],
  tell: (x: number, y: number, label: string) => string,
): string {
  const across = position(x, LEFT, WIDTH - RIGHT);
  const up = position(y, HEIGHT - BOTTOM, TOP);
  const parts: string[] = [];
  for (const [value, text] of x.ticks) {
    const at = across(value).toFixed(1);
    parts.push(`<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`);
    parts.push(
      `<text class="tick" x="${at}" y="${HEIGHT - BOTTOM + 15}" text-anchor="middle">${escapeHtml(text)}</text>`,
    );
  }
  for (const [value, text] of y.ticks) {
    const at = up(value).toFixed(1);
    parts.push(`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>`);
    parts.push(
      `<text class="tick" x="${LEFT - 6}" y="${Number(at) + 4}" text-anchor="end">${escapeHtml(text)}</text>`,
    );
  }
  parts.push(
    `<text class="axis" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(x.title)}</text>`,
  );
  parts.push(
    `<text class="axis" transform="translate(13 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(y.title)}</text>`,
  );
  for (const { label, colour, points } of lines) {
    const drawn = points.map(([px, py]) => [across(px), up(py), px, py] as const);
    const path = drawn.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ');
    parts.push(`<polyline class="line c${colour}" points="${path}"/>`);
    for (const [px, py, vx, vy] of drawn) {
      parts.push(
        `<circle class="dot c${colour}" cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="4"><title>${escapeHtml(tell(vx, vy, label))}</title></circle>`,
      );
    }
  }
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${parts.join('')}</svg>`;
}

/** Bar of a chart: a ratio with its spread, or a value. */
interface Bar {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Text at the end of the bar. */
  readonly text: string;
  readonly colour: number;
}

const BAR_HEIGHT = 22;
const LABEL_WIDTH = 210;
const TEXT_WIDTH = 150;

/** Returns horizontal bars with whiskers from low to high; `mark` is a line across all. */
export function barChart(bars: readonly Bar[], mark?: number): string {
  const height = bars.length * BAR_HEIGHT + 10;
  const end = Math.max(mark ?? 0, ...bars.map(({ high, value }) => Math.max(high, value)), 1e-9);
  const room = WIDTH - LABEL_WIDTH - TEXT_WIDTH;
  const across = (value: number) => LABEL_WIDTH + (Math.max(value, 0) / end) * room;
  const parts = bars.map(({ label, value, low, high, text, colour }, at) => {
    const top = at * BAR_HEIGHT + 5;
    const middle = top + BAR_HEIGHT / 2 - 2;
    const whisker =
      high > low
        ? `<line class="whisker" x1="${across(low).toFixed(1)}" x2="${across(high).toFixed(1)}" y1="${middle}" y2="${middle}"/>`
        : '';
    return (
      `<text class="tick" x="${LABEL_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${escapeHtml(label)}</text>` +
      `<rect class="bar c${colour}" x="${LABEL_WIDTH}" y="${top}" width="${Math.max(across(value) - LABEL_WIDTH, 1).toFixed(1)}" height="${BAR_HEIGHT - 6}" rx="2"><title>${escapeHtml(`${label}: ${text}`)}</title></rect>` +
      whisker +
      `<text class="tick" x="${WIDTH - TEXT_WIDTH + 8}" y="${middle + 4}">${escapeHtml(text)}</text>`
    );
  });
  if (mark !== undefined) {
    const at = across(mark).toFixed(1);
    parts.push(`<line class="mark" x1="${at}" x2="${at}" y1="0" y2="${height}"/>`);
  }
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img">${parts.join('')}</svg>`;
}

/** Returns the function from a value to its position between two ends in pixels. */
function position({ scale, ticks }: Axis, from: number, to: number): (value: number) => number {
  const measure = (value: number) => (scale === 'log' ? Math.log10(Math.max(value, 1e-9)) : value);
  const first = measure(ticks[0]?.[0] ?? 0);
  const last = measure(ticks.at(-1)?.[0] ?? 1);
  const span = last - first || 1;
  return (value) => {
    const share = Math.min(Math.max((measure(value) - first) / span, 0), 1);
    return from + share * (to - from);
  };
}

/** Returns marks at round values from 0 to at least `max`, four to six of them. */
export function linearTicks(max: number, text: (value: number) => string): [number, string][] {
  const top = max > 0 ? max : 1;
  const rough = top / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough)!;
  const count = Math.ceil(top / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, at) => [at * step, text(at * step)]);
}

/** Returns marks at powers of ten around `min` and `max`; up to two powers at 1, 2, 5 as well. */
export function logTicks(
  min: number,
  max: number,
  text: (value: number) => string,
): [number, string][] {
  const first = Math.floor(Math.log10(Math.max(min, 1e-3)));
  const last = Math.max(Math.ceil(Math.log10(Math.max(max, 1e-3))), first + 1);
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const values: number[] = [];
  for (let power = first; power < last; power++) {
    for (const factor of factors) values.push(factor * 10 ** power);
  }
  values.push(10 ** last);
  return values.map((value) => [value, text(value)]);
}

/** Returns text escaped for any place in HTML. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
