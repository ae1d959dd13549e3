// Frame of the page /admin after the login. It holds the session, the route and the feed.

import type { Session } from '../../api/api.ts';
import { type Api, messageOf } from './api.ts';
import type { Context, View } from './context.ts';
import { Feed } from './feed.ts';
import { liveStatus } from './live-status.ts';
import { button, fill, make } from './make.ts';
import { Navigation } from './navigation.ts';
import { badge, person, renewTimes, when } from './parts.ts';
import { type Route, routeOf } from './route.ts';
import { views } from './views.ts';

const RENEW_MILLISECONDS = 10_000;
const SAID_MILLISECONDS = 6_000;

/** Head, navigation, and the view of the current route, for one session. */
export class Shell {
  readonly place: HTMLElement;
  session: Session;
  readonly #api: Api;
  readonly #icon: string;
  #head: HTMLElement;
  readonly #views: readonly View[];
  readonly #feed: Feed;
  readonly #navigation: Navigation;
  readonly #main = make('main', { id: 'main', tabindex: -1 });
  readonly #said = make('div', { class: 'said', role: 'status' });
  readonly #gone = new AbortController();
  #left = new AbortController();
  #saidTimer = 0;

  constructor(api: Api, session: Session, icon: string) {
    this.#api = api;
    this.session = session;
    this.#icon = icon;
    this.#head = this.#makeHead();
    this.#views = views.filter(({ method }) => session.methods.includes(method));
    this.#feed = new Feed(api.call, this.#gone.signal);
    this.#navigation = new Navigation(this.#views);
    const trouble = liveStatus(this.#feed.poller, this.#gone.signal, []);
    trouble.classList.add('trouble');
    this.place = make(
      'div',
      { class: 'shell' },
      make(
        'a',
        { class: 'skip', href: '#main', onclick: (event) => this.#skip(event) },
        'Skip to the content',
      ),
      this.#head,
      this.#navigation.place,
      make('div', { class: 'middle' }, trouble, this.#main),
      this.#said,
    );
    this.#feed.watch(
      ({ waiting }) =>
        this.#navigation.count({ reports: waiting.reported, quarantine: waiting.quarantined }),
      this.#gone.signal,
    );
    window.addEventListener('hashchange', () => this.#open(true), { signal: this.#gone.signal });
    const timer = setInterval(() => renewTimes(this.place), RENEW_MILLISECONDS);
    this.#gone.signal.addEventListener('abort', () => clearInterval(timer));
    this.#open(false);
  }

  /** Stops all polling, timers and listeners of the shell and its view. */
  end(): void {
    this.#left.abort();
    this.#gone.abort();
  }

  /** Continues after a login with the same key and role; failed requests are repeated. */
  resume(session: Session): void {
    this.session = session;
    const head = this.#makeHead();
    this.#head.replaceWith(head);
    this.#head = head;
    this.place.hidden = false;
    this.#feed.poller.now();
    for (const again of this.place.querySelectorAll<HTMLElement>('button[data-again]'))
      again.click();
    this.focus();
  }

  /** Focuses the heading of the view. */
  focus(): void {
    this.#main.querySelector('h1')?.focus({ preventScroll: true });
  }

  #makeHead(): HTMLElement {
    const { relay, role, pubkey, endsAt, encrypted } = this.session;
    const state = make('span', { class: 'state', role: 'status' });
    const leave = button('Log out', 'small', () => {
      leave.setAttribute('aria-busy', 'true');
      this.#api.logout().then(
        () => location.reload(),
        (error: unknown) => {
          leave.removeAttribute('aria-busy');
          fill(state, make('span', { class: 'error' }, messageOf(error)));
        },
      );
    });
    return make(
      'header',
      { class: 'head' },
      make(
        'a',
        { class: 'relay', href: '#/overview' },
        make('img', { src: this.#icon, alt: '', width: 32, height: 32 }),
        make('b', null, relay.name),
      ),
      make(
        'div',
        { class: 'who row' },
        !encrypted &&
          location.protocol !== 'https:' &&
          !isLoopback() &&
          badge('not encrypted', 'warning'),
        badge(role, role === 'admin' ? 'good' : ''),
        person(pubkey),
        make('span', { class: 'muted small until' }, 'session ends ', when(endsAt)),
        state,
        leave,
      ),
    );
  }

  #open(focus: boolean): void {
    const route = routeOf(location.hash);
    if (route.name === 'main') return;
    const view = this.#views.find(({ name }) => name === route.name);
    this.#left.abort();
    this.#left = new AbortController();
    const heading = make('h1', { tabindex: -1 });
    const title = (text: string) => {
      fill(heading, text);
      document.title = `${text} · ${this.session.relay.name}`;
    };
    this.#navigation.show(route.name, view?.title ?? 'Menu');
    if (view === undefined) {
      title('View not found');
      fill(this.#main, heading, this.#nothing(route));
    } else {
      title(view.title);
      fill(this.#main, heading);
      this.#main.append(...view.open(this.#context(route, title)));
    }
    this.#main.dataset.view = route.name;
    if (!focus) return;
    // A link in a dialog has left the view that the dialog is about.
    for (const dialog of document.querySelectorAll('dialog')) dialog.close();
    window.scrollTo(0, 0);
    heading.focus({ preventScroll: true });
  }

  #context({ subject, query }: Route, title: (text: string) => void): Context {
    return {
      session: this.session,
      call: this.#api.call,
      feed: this.#feed,
      subject,
      query,
      left: this.#left.signal,
      say: (text) => this.#say(text),
      title,
    };
  }

  #nothing({ name }: Route): HTMLElement {
    const isForOthers = views.some((view) => view.name === name);
    if (name === '') location.replace('#/overview');
    return make(
      'p',
      { class: 'notice' },
      isForOthers
        ? 'This view is for admins of the relay only. '
        : 'There is no view at this address. ',
      make('a', { href: '#/overview' }, 'Go to the overview'),
      '.',
    );
  }

  /** Focuses the content. The fragment is a route here, so the link cannot do it by itself. */
  #skip(event: Event): void {
    event.preventDefault();
    this.#main.focus();
  }

  #say(text: string): void {
    fill(this.#said, make('p', null, text));
    clearTimeout(this.#saidTimer);
    this.#saidTimer = window.setTimeout(() => fill(this.#said), SAID_MILLISECONDS);
  }
}

function isLoopback(): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);
}
