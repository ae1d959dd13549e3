// Status line of polled figures.

import { moment, span } from './format.ts';
import { button, fill, make } from './make.ts';
import type { Poller, PollState } from './poller.ts';

/**
 * Line with the state of a poller: live, paused, or failing, with the error, the age of the figures
 * and the time of the next try. Marks `content` as stale if the poller fails after a good answer.
 */
export function liveStatus(
  poller: Poller,
  left: AbortSignal,
  content: readonly HTMLElement[],
): HTMLElement {
  const text = make('span', { role: 'status' });
  const next = make('span', { class: 'muted' });
  const now = button('Try now', 'small', () => poller.now());
  const place = make('p', { class: 'live' }, text, next, now);
  let state: PollState = poller.state;

  const count = () => {
    const seconds = Math.max(0, Math.round((state.nextAt - Date.now()) / 1000));
    fill(next, seconds === 0 ? 'Trying…' : `Next try in ${span(seconds)}.`);
  };
  const show = (changed: PollState) => {
    state = changed;
    place.dataset.state = state.kind;
    const isFailing = state.kind === 'failing';
    next.hidden = !isFailing;
    now.hidden = !isFailing;
    const words = wordsFor(state);
    if (text.textContent !== words) text.textContent = words;
    for (const one of content) one.classList.toggle('stale', isFailing && state.goodAt > 0);
    if (isFailing) count();
  };
  poller.watch(show, left);
  const timer = setInterval(() => state.kind === 'failing' && count(), 1_000);
  left.addEventListener('abort', () => clearInterval(timer));
  return place;
}

function wordsFor({ kind, goodAt, error }: PollState): string {
  if (kind === 'live') return 'Live';
  if (kind === 'waiting') return 'Loading…';
  if (kind === 'paused') return 'Paused while this tab is hidden';
  const last = goodAt === 0 ? '' : ` The data shown is of ${moment(goodAt / 1000).slice(11)}.`;
  return `${error}${last}`;
}
