// Navigation between the views of the page /admin.

import type { View } from './context.ts';
import { count } from './format.ts';
import { fill, make } from './make.ts';

/** Links to the views by group; on narrow screens under a button that names the current view. */
export class Navigation {
  readonly place: HTMLElement;
  readonly #links = new Map<string, HTMLElement>();
  readonly #counts = new Map<string, HTMLElement>();
  readonly #toggle = make('button', { type: 'button', class: 'toggle', 'aria-expanded': 'false' });
  readonly #list: HTMLElement;

  constructor(views: readonly View[]) {
    const groups = (['Watch', 'Moderate', 'Run'] as const).map((group) => {
      const links = views.filter((view) => view.group === group).map((view) => this.#link(view));
      return (
        links.length > 0 &&
        make(
          'li',
          null,
          make('span', { class: 'group', id: `group-${group}` }, group),
          make('ul', { 'aria-labelledby': `group-${group}` }, ...links),
        )
      );
    });
    this.#list = make('ul', { id: 'views', class: 'groups' }, ...groups);
    this.#toggle.setAttribute('aria-controls', 'views');
    this.#toggle.addEventListener('click', () => this.#unfold(!this.#isUnfolded));
    this.place = make('nav', { 'aria-label': 'Views' }, this.#toggle, this.#list);
    this.place.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.#isUnfolded) return;
      this.#unfold(false);
      this.#toggle.focus();
    });
  }

  /** Marks the current view. */
  show(name: string, title: string): void {
    for (const [one, link] of this.#links) {
      if (one === name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    fill(this.#toggle, make('span', { class: 'bars', 'aria-hidden': 'true' }), title);
    this.#unfold(false);
  }

  /** Shows the number of pending items by view; hidden for 0. */
  count(waiting: Readonly<Record<string, number>>): void {
    for (const [name, number] of Object.entries(waiting)) {
      const place = this.#counts.get(name);
      if (place === undefined) continue;
      place.hidden = number === 0;
      fill(place, count(number), make('span', { class: 'visually-hidden' }, ' waiting'));
    }
  }

  get #isUnfolded(): boolean {
    return this.#toggle.getAttribute('aria-expanded') === 'true';
  }

  #unfold(open: boolean): void {
    this.#toggle.setAttribute('aria-expanded', String(open));
    this.#list.classList.toggle('open', open);
  }

  #link({ name, title }: View): HTMLElement {
    const waiting = make('span', { class: 'badge warning', hidden: true });
    const link = make('a', { href: `#/${name}` }, make('span', null, title), waiting);
    this.#links.set(name, link);
    this.#counts.set(name, waiting);
    return make('li', null, link);
  }
}
