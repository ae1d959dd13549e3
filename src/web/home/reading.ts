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
          html`Private kinds are only sent to their authors and recipients, after authentication (NIP-42): ${kindsText(auth.private_kinds)}.`,
        ]
      : []),
    html`A filter gets up to ${countText(limits.limit_max)} stored events, ${countText(limits.limit_default)} if it has no limit; new events follow as they arrive.`,
    ...(query.count_enabled ? [html`Events can be counted without being sent (NIP-45).`] : []),
  ];
}

function who({ auth, membership }: Config): Html {
  if (membership.enabled && membership.restrict_reads) {
    return html`Only members may read, after authentication (NIP-42).`;
  }
  if (auth.required === 'read' || auth.required === 'all' || auth.dm_inbox) {
    return html`Reading requires authentication with any key (NIP-42).`;
  }
  return html`Reading is open to everyone.`;
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
          html`When the database is larger than ${countText(retention.mib_max)} MiB, the oldest events are removed.`,
        ]
      : []),
    ...(sparesMembers ? [html`Events of members of this relay are exempt from this.`] : []),
    html`Authors can delete their events (NIP-09), and expired events are removed (NIP-40).`,
    ...(identity.vanish && identity.urls.length > 0
      ? [
          html`After a request to vanish (NIP-62) all events of the key are removed and not accepted again.`,
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
