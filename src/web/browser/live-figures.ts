// Live update of the figures and charts of the public page.

import { drawChart } from './chart.ts';
import { type ChartName, chartSentence, type Figures, shownFigures } from './figures.ts';
import { countText } from './format.ts';

const URL_OF_FIGURES = '/figures.json';
const PERIOD_MILLISECONDS = 5_000;
/** Timeout of a request, and the longest pause after a failed one. */
const PATIENCE_MILLISECONDS = 8_000;
const PAUSE_MILLISECONDS_MAX = 60_000;

type State = 'live' | 'lost' | 'paused';

/**
 * Poller of `/figures.json`, every 5 seconds while the page is visible. Pauses grow up to a minute
 * while requests fail.
 */
export class LiveFigures {
  readonly #place: HTMLElement;
  readonly #status: HTMLElement;
  #failures = 0;
  #timer = 0;
  #underWay = false;

  constructor(place: HTMLElement) {
    this.#place = place;
    this.#status = place.querySelector<HTMLElement>('[data-live]')!;
  }

  begin(): void {
    document.addEventListener('visibilitychange', () => this.#visibility());
    window.addEventListener('online', () => void this.#renew());
    this.#visibility();
  }

  #visibility(): void {
    clearTimeout(this.#timer);
    if (document.hidden) this.#say('paused', 'paused');
    else void this.#renew();
  }

  async #renew(): Promise<void> {
    if (this.#underWay) return;
    clearTimeout(this.#timer);
    this.#underWay = true;
    let pause = PERIOD_MILLISECONDS;
    try {
      const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
      const answer = await fetch(URL_OF_FIGURES, { signal, cache: 'no-store' });
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      this.#show((await answer.json()) as Figures);
      this.#failures = 0;
      this.#say('live', 'live');
    } catch {
      this.#failures++;
      pause = Math.min(PAUSE_MILLISECONDS_MAX, PERIOD_MILLISECONDS * 2 ** (this.#failures - 1));
      this.#say('lost', `The relay does not answer; next try in ${pause / 1000} seconds`);
    }
    this.#underWay = false;
    if (!document.hidden) this.#timer = window.setTimeout(() => void this.#renew(), pause);
  }

  /** Shows the state; an unchanged text is not set again, so screen readers do not repeat it. */
  #say(state: State, text: string): void {
    if (this.#status.textContent !== text) this.#status.textContent = text;
    this.#status.dataset.state = state;
    this.#place.classList.toggle('stale', state === 'lost');
  }

  #show(figures: Figures): void {
    for (const [name, { value, unit }] of Object.entries(shownFigures(figures))) {
      const place = this.#place.querySelector(`[data-figure="${name}"]`);
      const [large, small] = place?.children ?? [];
      if (large) large.textContent = value;
      if (small) small.textContent = unit;
    }
    for (const name of Object.keys(figures.minutes) as ChartName[]) this.#draw(name, figures);
  }

  #draw(name: ChartName, figures: Figures): void {
    const place = this.#place.querySelector(`[data-chart="${name}"]`);
    if (place === null) return;
    const { line, area, top } = drawChart(figures.minutes[name]);
    place.querySelector('.line')?.setAttribute('d', line);
    place.querySelector('.area')?.setAttribute('d', area);
    place.querySelector('svg')?.setAttribute('aria-label', chartSentence(name, figures));
    const scale = place.querySelector('[data-top]');
    if (scale) scale.textContent = countText(top);
  }
}
