// HTTP routes of the pages for browsers, served by the main thread.

import type { HttpRequest } from 'uWebSockets.js';
import type { Config } from '../config/options.ts';
import { accepts, type Encoded, encode } from '../lib/encoded.ts';
import type { PageAnswer } from '../messages/admin-io.ts';
import { adminPage } from '../web/admin.ts';
import { Assets } from '../web/assets.ts';
import { type Icon, loadIcon } from '../web/icon.ts';
import { unavailablePage } from '../web/unavailable.ts';
import { type Header, isKnown, notModified, write } from './http-answer.ts';
import type { HttpResource } from './io-meter.ts';
import type { HttpResponse } from './uws.ts';

/** Time for which the output of the admin worker is reused. */
const FRESH_MILLISECONDS = 1_000;
/** Timeout of a request that waits for the admin worker, and maximum number of waiting requests. */
const PATIENCE_MILLISECONDS = 10_000;
const WAITING_MAX = 1_024;

/** Headers of pages: no resources of other origins, no foreign scripts, no framing. */
const PAGE_HEADERS: readonly Header[] = [
  [
    'Content-Security-Policy',
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  ],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Cache-Control', 'no-cache'],
  ['Vary', 'Accept, Accept-Encoding'],
];
const RETRY: Header = ['Retry-After', '2'];
const NO_FIGURES = encode('{"error":"the figures are not available at the moment; try again"}');
const FIGURES_HEADERS: readonly Header[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Cache-Control', 'no-store'],
];
/** Content policy of the icon: an SVG that is opened by itself may draw and nothing else. */
const IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** Part of the admin worker's output that a request asks for. */
type Made = 'html' | 'figures';

/** Pages that depend on the name and the icon only. */
interface Shells {
  readonly admin: Encoded;
  readonly unavailable: Encoded;
}

interface Waiting {
  readonly res: HttpResponse;
  readonly made: Made;
  readonly encodings: string;
  readonly isHead: boolean;
  readonly until: number;
}

/** Callbacks of the pages. */
interface PagesHandlers {
  /** Requests a new public page with this icon; returns false while there is no admin worker. */
  ask(icon: string): boolean;
  served(resource: HttpResource): void;
  /** Reports a problem that the operator should know and that does not stop the relay. */
  problem(text: string, error: Error): void;
}

/**
 * Pages for browsers. The admin worker makes the public page and its figures, at most once a second
 * for all clients; all other pages are in memory. Bounds: 1,024 requests that wait for the admin
 * worker, ten seconds each.
 */
export class Pages {
  readonly #handlers: PagesHandlers;
  readonly #assets = Assets.load();
  #config: Config;
  #icon: Icon;
  #shells: Shells;
  #made: PageAnswer | null = null;
  #madeAt = 0;
  #asked = false;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(config: Config, handlers: PagesHandlers) {
    this.#handlers = handlers;
    this.#config = config;
    this.#icon = this.#loadIcon();
    this.#shells = this.#makeShells();
  }

  /** Applies these options; the icon file is read again. */
  reconfigure(config: Config): void {
    const { icon_file: before } = this.#config.pages;
    const isSameName = config.info.name === this.#config.info.name;
    this.#config = config;
    if (before !== '' || config.pages.icon_file !== '') this.#icon = this.#loadIcon();
    if (!isSameName || before !== '' || config.pages.icon_file !== '') {
      this.#shells = this.#makeShells();
    }
    this.#made = null;
  }

  /** Returns true if a request for / accepts the page. */
  wants(req: HttpRequest): boolean {
    return this.#config.pages.home && accepts(req.getHeader('accept'), 'text/html');
  }

  /** Answers GET and HEAD of the public page. */
  home(res: HttpResponse, req: HttpRequest, isHead = false): void {
    this.#handlers.served('page');
    this.#give(res, req, 'html', isHead);
  }

  /** Answers other paths of pages; returns false for a path that is none of them. */
  other(res: HttpResponse, req: HttpRequest, isHead = false): boolean {
    const path = req.getUrl();
    const { home, admin, figures } = this.#config.pages;
    if (path === '/admin' || path === '/admin/') {
      if (!admin) return false;
      this.#handlers.served('page');
      this.#page(res, this.#shells.admin, req.getHeader('accept-encoding'), isHead);
    } else if (path === '/figures.json') {
      if (!home || !figures) return false;
      this.#handlers.served('figures');
      this.#give(res, req, 'figures', isHead);
    } else if (path.startsWith('/assets/')) {
      return (home || admin) && this.#asset(res, req, path, isHead);
    } else if (path === '/icon' || path === '/favicon.ico') {
      this.#handlers.served('asset');
      this.#image(res, req, isHead);
    } else return false;
    return true;
  }

  /** Takes the new public page and answers the waiting requests. */
  take(made: PageAnswer): void {
    this.#asked = false;
    this.#made = made;
    this.#madeAt = Date.now();
    const waiting = this.#endWaiting();
    for (const one of waiting) this.#answer(one, made);
  }

  /** Answers the waiting requests with 503, because the admin worker crashed or was restarted. */
  forget(): void {
    this.#asked = false;
    for (const one of this.#endWaiting()) this.#unavailable(one);
  }

  #give(res: HttpResponse, req: HttpRequest, made: Made, isHead: boolean): void {
    const encodings = req.getHeader('accept-encoding');
    const until = Date.now() + PATIENCE_MILLISECONDS;
    const one: Waiting = { res, made, encodings, isHead, until };
    if (this.#made !== null && Date.now() - this.#madeAt < FRESH_MILLISECONDS) {
      this.#answer(one, this.#made);
      return;
    }
    if (
      this.#waiting.length >= WAITING_MAX ||
      !(this.#asked || this.#handlers.ask(this.#iconUrl))
    ) {
      this.#unavailable(one);
      return;
    }
    this.#asked = true;
    this.#waiting.push(one);
    res.onAborted(() => {
      this.#waiting = this.#waiting.filter((other) => other !== one);
    });
    this.#timer ??= setTimeout(() => this.#giveUp(), PATIENCE_MILLISECONDS).unref();
  }

  /** Answers the requests that have waited too long with 503; later ones go on waiting. */
  #giveUp(): void {
    const now = Date.now();
    this.#timer = null;
    this.#asked = false;
    const late = this.#waiting.filter(({ until }) => until <= now);
    this.#waiting = this.#waiting.filter(({ until }) => until > now);
    for (const one of late) this.#unavailable(one);
    const next = this.#waiting[0];
    if (next) this.#timer = setTimeout(() => this.#giveUp(), next.until - now).unref();
  }

  #endWaiting(): Waiting[] {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #answer({ res, made, encodings, isHead }: Waiting, { html, figures }: PageAnswer): void {
    if (made === 'html') this.#page(res, html, encodings, isHead);
    else write(res, '200 OK', JSON_TYPE, FIGURES_HEADERS, figures, encodings, isHead);
  }

  #unavailable({ res, made, encodings, isHead }: Waiting): void {
    const isPage = made === 'html';
    const headers = [...(isPage ? PAGE_HEADERS : FIGURES_HEADERS), RETRY];
    const body = isPage ? this.#shells.unavailable : NO_FIGURES;
    const type = isPage ? HTML : JSON_TYPE;
    write(res, '503 Service Unavailable', type, headers, body, encodings, isHead);
  }

  #page(res: HttpResponse, body: Encoded, encodings: string, isHead: boolean): void {
    write(res, '200 OK', HTML, PAGE_HEADERS, body, encodings, isHead);
  }

  #asset(res: HttpResponse, req: HttpRequest, path: string, isHead: boolean): boolean {
    const found = this.#assets.at(path);
    if (found === null) return false;
    this.#handlers.served('asset');
    const { asset, current } = found;
    // During an upgrade, pages of one version may request assets from a process of the other.
    const cache = current ? 'public, max-age=31536000, immutable' : 'no-store';
    const etag = `W/"${this.#assets.hash}"`;
    const headers: Header[] = [
      ['Cache-Control', cache],
      ['ETag', etag],
      ['X-Content-Type-Options', 'nosniff'],
      ['Cross-Origin-Resource-Policy', 'same-origin'],
      ['Vary', 'Accept-Encoding'],
    ];
    if (current && isKnown(req, etag)) notModified(res, headers);
    else {
      const encodings = req.getHeader('accept-encoding');
      write(res, '200 OK', asset.type, headers, asset.body, encodings, isHead);
    }
    return true;
  }

  #image(res: HttpResponse, req: HttpRequest, isHead: boolean): void {
    const { type, body, hash } = this.#icon;
    const etag = `W/"${hash}"`;
    const headers: Header[] = [
      ['Cache-Control', 'public, max-age=3600'],
      ['ETag', etag],
      ['Content-Security-Policy', IMAGE_POLICY],
      ['X-Content-Type-Options', 'nosniff'],
      // Clients show the icon (NIP-11).
      ['Access-Control-Allow-Origin', '*'],
      ['Cross-Origin-Resource-Policy', 'cross-origin'],
      ['Vary', 'Accept-Encoding'],
    ];
    if (isKnown(req, etag)) notModified(res, headers);
    else write(res, '200 OK', type, headers, body, req.getHeader('accept-encoding'), isHead);
  }

  #loadIcon(): Icon {
    const { icon_file: file } = this.#config.pages;
    try {
      return loadIcon(file);
    } catch (error) {
      if (file === '') throw error;
      this.#handlers.problem('pages.icon_file cannot be used', error as Error);
      return loadIcon('');
    }
  }

  get #iconUrl(): string {
    return `/icon?${this.#icon.hash}`;
  }

  #makeShells(): Shells {
    const facts = { name: this.#config.info.name, icon: this.#iconUrl };
    return {
      admin: encode(adminPage(facts, this.#assets)),
      unavailable: encode(unavailablePage(facts, this.#assets)),
    };
  }
}
