// Card of the public page with live figures and charts of the last hour.

import { CHART_HEIGHT, CHART_WIDTH, drawChart } from '../browser/chart.ts';
import {
  type ChartName,
  chartSentence,
  type FigureName,
  type Figures,
  MINUTES,
  type Shown,
  shownFigures,
} from '../browser/figures.ts';
import { clockText, countText } from '../browser/format.ts';
import { type Html, html } from '../html.ts';

const LABELS: Readonly<Record<FigureName, string>> = {
  events: 'Events stored',
  accepted: 'New events',
  connections: 'Connections',
  subscriptions: 'Subscriptions',
  deliveries: 'Deliveries',
  since: 'Uptime',
};
const ORDER = Object.keys(LABELS) as FigureName[];

const CHARTS: Readonly<Record<ChartName, string>> = {
  events: 'New events per minute',
  connections: 'Connections',
};

/** Card with the figures of now and the charts of the last hour; a browser script updates it. */
export function figuresCard(figures: Figures): Html {
  const shown = shownFigures(figures);
  return html`<section class="card stack" aria-labelledby="now" data-figures>
<div class="toolbar">
<h2 id="now">Right now</h2>
<p class="live small muted" role="status" data-live>as of <time datetime="${new Date(figures.at).toISOString()}">${clockText(figures.at)} UTC</time></p>
</div>
<dl class="figures">
${ORDER.map(
  (name) =>
    html`<div><dt>${LABELS[name]}</dt><dd data-figure="${name}">${value(shown[name])}</dd></div>\n`,
)}</dl>
<div class="charts">
${(['events', 'connections'] as const).map((name) => chart(name, figures))}
</div>
</section>`;
}

function value({ value: number, unit }: Shown): Html {
  return html`<span>${number}</span> <small>${unit}</small>`;
}

function chart(name: ChartName, figures: Figures): Html {
  const { line, area, top } = drawChart(figures.minutes[name]);
  return html`<figure class="chart" data-chart="${name}">
<figcaption><span>${CHARTS[name]}</span> <span class="muted number" aria-hidden="true" data-top>${countText(top)}</span></figcaption>
<svg viewBox="0 0 ${CHART_WIDTH} ${CHART_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${chartSentence(name, figures)}">
<path class="area" d="${area}"/>
<path class="line" d="${line}"/>
</svg>
<p class="axis muted" aria-hidden="true"><span>${MINUTES} minutes ago</span><span>now</span></p>
</figure>
`;
}
