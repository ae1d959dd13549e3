// SVG paths of the charts of the public page, for the relay and for browsers.

/** Size of the view box of a chart, which is stretched to its container. */
export const CHART_WIDTH = 600;
export const CHART_HEIGHT = 120;

/** Margin above the highest value and below zero, so that no line is cut in half. */
const MARGIN = 3;

/** SVG paths of a chart and the upper end of its scale. */
interface Chart {
  /** Path of the line, and of the area below it; '' without values. */
  line: string;
  area: string;
  /** Value at the upper edge. */
  top: number;
}

/** Draws values from left to right, the last at the right edge; null is a gap. */
export function drawChart(values: readonly (number | null)[]): Chart {
  const top = roundUp(Math.max(0, ...values.filter((value) => value !== null)));
  const step = CHART_WIDTH / Math.max(1, values.length - 1);
  const bottom = CHART_HEIGHT - MARGIN;
  const y = (value: number) => bottom - (value / top) * (bottom - MARGIN);
  let line = '';
  let area = '';
  for (let i = 0; i < values.length; ) {
    const from = i;
    while (i < values.length && values[i] !== null) i++;
    if (i > from) {
      const points = values.slice(from, i).map((value, k) => [(from + k) * step, y(value!)]);
      // A single value is drawn as a short line, because a point would be invisible.
      if (points.length === 1) {
        const [x, height] = points[0]!;
        points[0] = [Math.max(0, x! - step / 2), height!];
        points.push([Math.min(CHART_WIDTH, x! + step / 2), height!]);
      }
      const path = points.map(([x, height]) => `${round(x!)} ${round(height!)}`).join('L');
      line += `M${path}`;
      area += `M${round(points[0]![0]!)} ${bottom}L${path}L${round(points.at(-1)![0]!)} ${bottom}Z`;
    } else i++;
  }
  return { line, area, top };
}

/** Next round number (1, 2, 3, 4, 5, 6, 8, 10, 20 …) that is not below a value, at least 1. */
export function roundUp(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((step) => step >= value)!;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
