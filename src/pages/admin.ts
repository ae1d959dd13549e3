import type { Assets } from './assets.ts';
import { html } from './html.ts';
import { documentOf } from './layout.ts';

/** What the page for admins needs to know before anybody has shown who they are. */
export interface AdminPageFacts {
  /** The relay's name. */
  readonly name: string;
  /** The address of the relay's icon. */
  readonly icon: string;
}

/** The page /admin. */
export function adminPage({ name, icon }: AdminPageFacts, assets: Assets): string {
  const body = html`<main class="page" id="app">
<header class="masthead">
<img class="icon" src="${icon}" alt="" width="48" height="48">
<h1>${name}: administration</h1>
</header>
<p class="notice">This page does nothing yet. On the machine of the relay, <code>wok mod</code> bans, allows and
removes, <code>wok top</code> shows what goes on, and <code>wok config</code> checks the configuration.</p>
<noscript><p class="notice">This page needs JavaScript: your key stays in your browser, which signs what you do.
Without it, <code>wok mod</code> does the same on the machine of the relay.</p></noscript>
</main>`;
  const title = `${name}: administration`;
  const page = { title, description: '', styles: [], scripts: [], icon, body, hidden: true };
  return documentOf(page, assets);
}
