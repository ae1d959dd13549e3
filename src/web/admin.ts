// HTML shell of the page /admin, made in the io thread; the browser code fills it after the login.

import type { Assets } from './assets.ts';
import { html } from './html.ts';
import { documentOf } from './layout.ts';

/** Facts about the relay that the page /admin shows before the login. */
export interface AdminPageFacts {
  /** Name of the relay. */
  readonly name: string;
  /** Address of the relay's icon. */
  readonly icon: string;
}

/** HTML document of the page /admin. */
export function adminPage({ name, icon }: AdminPageFacts, assets: Assets): string {
  const body = html`<div id="app" data-name="${name}" data-icon="${icon}">
<main class="login">
<h1 class="visually-hidden">${name}: administration</h1>
<noscript><p class="notice warning">This page needs JavaScript: your key stays in your browser, which signs what you do.
Without it, use <code>wok mod</code> and <code>wok top</code> on the machine of the relay.</p></noscript>
<p class="muted scripted">Loading. If this message stays, reload the page.</p>
</main>
</div>`;
  const title = `${name}: administration`;
  const page = {
    title,
    description: '',
    styles: ['admin.css', 'vendor/uplot.css'],
    scripts: ['admin.js'],
    imports: assets.names.filter((asset) => /^(admin|vendor)\/.*\.js$/.test(asset)),
    icon,
    body,
    hidden: true,
  };
  return documentOf(page, assets);
}
