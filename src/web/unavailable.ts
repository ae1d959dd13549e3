// Fallback of the public page, made in the io thread.

import type { AdminPageFacts } from './admin.ts';
import type { Assets } from './assets.ts';
import { html } from './html.ts';
import { documentOf } from './layout.ts';

/** HTML document shown in place of the public page while the admin worker cannot make it. */
export function unavailablePage({ name, icon }: AdminPageFacts, assets: Assets): string {
  const body = html`<main class="page">
<header class="masthead">
<img class="icon" src="${icon}" alt="" width="48" height="48">
<h1>${name}</h1>
</header>
<p class="notice warning">The page about this relay is not available at the moment; try again in a few seconds.
The relay itself is running: clients can use it.</p>
</main>`;
  const page = { title: name, description: '', styles: [], scripts: [], icon, body, hidden: true };
  return documentOf(page, assets);
}
