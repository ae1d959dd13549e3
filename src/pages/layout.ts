import type { Assets } from './assets.ts';
import { type Html, html } from './html.ts';

/** What a page is made of. */
export interface Page {
  readonly title: string;
  /** For search engines and previews; '' leaves it out. */
  readonly description: string;
  /** Names of assets, in this order behind base.css. */
  readonly styles: readonly string[];
  /** Names of assets; each is an ES module. */
  readonly scripts: readonly string[];
  /** Modules that the scripts import, so that browsers need not find out one after the other. */
  readonly imports?: readonly string[];
  readonly icon: string;
  /** What stands between <body> and </body>. */
  readonly body: Html;
  /** Kept out of search engines. */
  readonly hidden?: boolean;
}

/** A whole document. It loads nothing but the assets and the icon of this relay. */
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
