import type { Config } from '../config/options.ts';
import type { Assets } from './assets.ts';
import { html } from './html.ts';
import { documentOf } from './layout.ts';

/** What the public page shows beside the configuration. */
export interface HomeFacts {
  readonly config: Config;
  /** The address of the relay's icon. */
  readonly icon: string;
}

/** The page /. */
export function homePage({ config, icon }: HomeFacts, assets: Assets): string {
  const { name, description } = config.info;
  const body = html`<main class="page">
<header class="masthead">
<img class="icon" src="${icon}" alt="" width="48" height="48">
<h1>${name}</h1>
</header>
<p>${description}</p>
<p>This is a Nostr relay; connect to it with a Nostr client.</p>
</main>`;
  const page = { title: name, description, styles: [], scripts: [], icon, body };
  return documentOf(page, assets);
}
