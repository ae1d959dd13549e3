// HTML document around the body of every page.

import type { Assets } from './assets.ts';
import { type Html, html } from './html.ts';

/** Parts of a page. */
interface Page {
  readonly title: string;
  /** Description for search engines and previews; '' leaves it out. */
  readonly description: string;
  /** Style sheets as names of assets, in this order after base.css. */
  readonly styles: readonly string[];
  /** Scripts as names of assets; each is an ES module. */
  readonly scripts: readonly string[];
  /** Modules that the scripts import, preloaded so that browsers need not find them in sequence. */
  readonly imports?: readonly string[];
  readonly icon: string;
  /** Content of the `<body>` element. */
  readonly body: Html;
  /** True if search engines must not index the page. */
  readonly hidden?: boolean;
}

/** HTML document of a page. It loads nothing but the assets and the icon of this relay. */
export function documentOf(page: Page, assets: Assets): string {
  const styles = ['base.css', ...page.styles].map(
    (name) => html`<link rel="stylesheet" href="${assets.url(name)}">\n`,
  );
  const imports = (page.imports ?? []).map(
    (name) => html`<link rel="modulepreload" href="${assets.url(name)}">\n`,
  );
  const scripts = page.scripts.map(
    (name) => html`<script type="module" src="${assets.url(name)}"></script>\n`,
  );
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title}</title>
${page.description !== '' && html`<meta name="description" content="${page.description}">\n`}${page.hidden === true && html`<meta name="robots" content="noindex">\n`}<link rel="icon" href="${page.icon}">
${styles}${imports}${scripts}</head>
<body>
${page.body}
</body>
</html>
`;
  return text;
}
