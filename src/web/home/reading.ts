// Sentences of the public page about reading and retention.

import type { Config } from '../../config/options.ts';
import { type RetentionRule, retentionRule } from '../../config/retention-rule.ts';
import { countText } from '../browser/format.ts';
import { type Html, html } from '../html.ts';
import { durationText, kindsOfEntry, kindsText } from '../words.ts';

/** Rules for readers and the limits of queries, one sentence for each rule. */
export function readingRules(config: Config): Html[] {
  const { auth, limits, query } = config;
  return [
    who(config),
    ...(auth.private_kinds.length > 0
      ? [
          html`Private kinds are only given to those involved, after they have authenticated: ${kindsText(auth.private_kinds)}.`,
        ]
      : []),
    html`A filter gets up to ${countText(limits.limit_max)} stored events at once, ${countText(limits.limit_default)} if it does not say how many; then come new ones as they arrive.`,
    ...(query.count_enabled ? [html`Events can be counted without being sent (NIP-45).`] : []),
  ];
}

function who({ auth, membership }: Config): Html {
  if (membership.enabled && membership.restrict_reads) {
    return html`Members read here, after they have authenticated (NIP-42).`;
  }
  if (auth.required === 'read' || auth.required === 'all' || auth.dm_inbox) {
    return html`Everybody reads here who has authenticated with a key (NIP-42).`;
  }
  return html`Anybody may read.`;
}

/** Rules of retention and deletion, one sentence for each rule. */
export function keepingRules({ retention, identity }: Config): Html[] {
  const rules = (entries: readonly string[], unit: 'age' | 'count') =>
    entries.map((text) => retentionRule(text, unit)).filter((rule) => rule !== undefined);
  const ages = rules(retention.age, 'age');
  const counts = rules(retention.count, 'count');
  const sparesMembers =
    retention.mib_max > 0 ||
    (ages.length + counts.length > 0 &&
      [...ages, ...counts].every(({ authors }) => authors === 'others'));
  const bounded = ages.length > 0 || counts.length > 0 || retention.mib_max > 0;
  return [
    ...(bounded ? [] : [html`Events are kept until their author deletes them or they expire.`]),
    ...ages.map((rule) => html`${subject(rule)} are kept for ${durationText(rule.limit)}.`),
    ...counts.map(
      (rule) => html`${subject(rule)} are kept up to ${countText(rule.limit)} for each author.`,
    ),
    ...(retention.mib_max > 0
      ? [
          html`When the database is larger than ${countText(retention.mib_max)} MiB, the oldest events go.`,
        ]
      : []),
    ...(sparesMembers ? [html`None of this touches what members of this relay have written.`] : []),
    html`Authors can delete what they wrote (NIP-09), and events go when they expire (NIP-40).`,
    ...(identity.vanish && identity.urls.length > 0
      ? [
          html`Whoever asks to vanish (NIP-62) is removed with everything they wrote, and kept out for good.`,
        ]
      : []),
  ];
}

function subject({ kinds, authors }: RetentionRule): string {
  const what = kindsOfEntry(kinds);
  const events = what.endsWith(' events') ? what : `events of ${what}`;
  const whose = authors === 'members' ? ' of members' : '';
  return events.charAt(0).toUpperCase() + events.slice(1) + whose;
}
