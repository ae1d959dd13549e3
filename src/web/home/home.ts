// Public page at /, made in the admin worker.

import type { Config } from '../../config/options.ts';
import { SOFTWARE, version } from '../../paths.ts';
import type { Assets } from '../assets.ts';
import { type Html, html, linkable } from '../html.ts';
import { documentOf } from '../layout.ts';
import { nipFacts, supportedNips } from '../supported-nips.ts';
import { badges } from './badges.ts';
import { connectCard } from './connect.ts';
import { figuresCard } from './figures.ts';
import type { HomeFacts } from './home-facts.ts';
import { type Limit, limitGroups } from './limits.ts';
import { keepingRules, readingRules } from './reading.ts';
import { writingRules } from './writing.ts';

/** HTML document of the page /: description, live figures, rules, limits and NIPs of the relay. */
export function homePage(facts: HomeFacts, assets: Assets): string {
  const { config, icon, figures } = facts;
  const { name, description } = config.info;
  const body = html`<a class="skip" href="#main">Skip to the content</a>
<div class="page">
<main id="main" class="stack sections">
<div class="split">
${masthead(facts)}
${connectCard(facts)}
</div>
${figures !== null && figuresCard(figures)}
${rules(facts)}
${limits(config)}
${nips(config)}
</main>
${footer(config)}
</div>`;
  return documentOf(
    {
      title: name,
      description: description.slice(0, 300),
      styles: ['home.css'],
      scripts: ['home.js'],
      imports: figures === null ? [] : ['figures.js', 'chart.js', 'format.js'],
      icon,
      body,
    },
    assets,
  );
}

function masthead({ config, icon }: HomeFacts): Html {
  const { name, description } = config.info;
  const paragraphs = description.split(/\n\s*\n/).filter((one) => one.trim() !== '');
  return html`<header class="stack">
<div class="masthead">
<img class="icon" src="${icon}" alt="" width="64" height="64">
<div>
<h1 class="break">${name}</h1>
<p class="muted">A <a href="https://nostr.com">Nostr</a> relay</p>
</div>
</div>
${paragraphs.map((one) => html`<p class="prewrap break lead">${one}</p>\n`)}
<ul class="badges" aria-label="In short">${badges(config).map(
    ({ text, tone }) => html`<li class="badge ${tone}">${text}</li>`,
  )}</ul>
</header>`;
}

function rules(facts: HomeFacts): Html {
  const { config } = facts;
  const parts = [
    { title: 'Writing', sentences: writingRules(facts) },
    { title: 'Reading', sentences: readingRules(config) },
    { title: 'Retention', sentences: keepingRules(config) },
  ];
  return html`<section class="stack" aria-labelledby="rules">
<h2 id="rules">Rules</h2>
<div class="grid">
${parts.map(
  ({ title, sentences }) => html`<div class="card stack">
<h3>${title}</h3>
<ul>${sentences.map((one) => html`<li class="break">${one}</li>\n`)}</ul>
</div>
`,
)}</div>
${policies(config)}
</section>`;
}

/** Links to the policies that the operator has published elsewhere. */
function policies({ info }: Config): Html {
  const given = [
    ['Terms of service', info.terms_of_service],
    ['Privacy policy', info.privacy_policy],
  ] as const;
  const links = given.flatMap(([title, address]) => {
    const href = linkable(address);
    return href === null ? [] : [html`<li><a href="${href}">${title}</a></li>\n`];
  });
  return links.length === 0 ? html`` : html`<ul class="links">${links}</ul>`;
}

function limits(config: Config): Html {
  return html`<section class="stack" aria-labelledby="limits">
<h2 id="limits">Limits</h2>
<div class="grid">
${limitGroups(config).map(
  ({ title, rows }) => html`<div class="card">
<table class="table">
<caption>${title}</caption>
${tableHead(rows)}
<tbody>
${rows.map(
  ({ what, value, burst }) =>
    html`<tr><th scope="row">${what}</th><td class="number">${value}</td>${
      burst !== undefined && html`<td class="number">${burst}</td>`
    }</tr>\n`,
)}</tbody>
</table>
</div>
`,
)}</div>
</section>`;
}

/** Head of a table of limits, visible only for rates, which have two columns of values. */
function tableHead(rows: readonly Limit[]): Html {
  if (rows.every(({ burst }) => burst === undefined)) {
    return html`<thead class="visually-hidden"><tr><th scope="col">Limit</th><th scope="col">Maximum</th></tr></thead>`;
  }
  return html`<thead><tr><th scope="col"><span class="visually-hidden">Limit</span></th><th scope="col" class="number">Sustained</th><th scope="col" class="number">Burst</th></tr></thead>`;
}

function nips(config: Config): Html {
  const found = supportedNips(config).map(nipFacts);
  return html`<section class="stack" aria-labelledby="nips">
<h2 id="nips">Supported NIPs</h2>
<ul class="nips">
${found.map(
  ({ number, title, url }) =>
    html`<li><a href="${url}"><span class="number">${number}</span> ${title}</a></li>\n`,
)}</ul>
</section>`;
}

function footer({ pages }: Config): Html {
  return html`<footer class="muted small">
<p>This relay runs <a href="${SOFTWARE}">wok</a> ${version}.${
    pages.admin && html` <a href="/admin">Admin page</a>.`
  }</p>
</footer>`;
}
