// Sentences of the public page about publishing.

import { asksForPayment, membersOnly } from '../../access/access-rules.ts';
import type { Config } from '../../config/options.ts';
import { hasAccessRules } from '../../policy/rules/access.ts';
import { kindValue } from '../../protocol/kind-values.ts';
import { countText } from '../browser/format.ts';
import { type Html, html, linkable } from '../html.ts';
import { bytesText, durationText, kindsOfEntry, kindsText, listText } from '../words.ts';

/** Configuration together with the rules that changed at run time. */
export interface RuleFacts {
  readonly config: Config;
  /** Kinds that were banned at run time. */
  readonly kindsDisallowed: readonly string[];
}

/** Rules for writers and for events, one sentence for each active rule. */
export function writingRules({ config, kindsDisallowed }: RuleFacts): Html[] {
  return [
    ...who(config),
    ...authentication(config),
    ...whatKinds(config, kindsDisallowed),
    ...form(config),
    ...pipeline(config),
  ];
}

function who(config: Config): Html[] {
  const { policy, auth, membership } = config;
  if (auth.dm_inbox) {
    return [
      html`This relay is an inbox for private messages. It accepts gift wraps from everyone, and what their recipients need: profiles, relay lists and deletions. It keeps up to ${countText(auth.dm_inbox_events_max)} messages per recipient, who may delete them.`,
      ...accessText(config),
    ];
  }
  if (!hasAccessRules(config)) return [html`Writing is open to everyone.`];
  return [
    ...accessText(config),
    ...(membership.enabled && membership.members_invite
      ? [html`Members can invite others; an invite is valid for one new member.`]
      : []),
    ...(policy.open_kinds.length > 0
      ? [html`Everyone may write kind ${kindsText(policy.open_kinds)}.`]
      : []),
    ...(policy.open_to_mentions
      ? [
          html`Everyone may write events that mention (p tag) an author who may write here: replies, reactions and private messages.`,
        ]
      : []),
  ];
}

/** Access rules for writers, as one sentence. */
function accessText(config: Config): Html[] {
  const { policy, admission, trust, nip05 } = config;
  const ways: Html[] = [];
  if (membersOnly(config)) ways.push(html`are members of this relay`);
  else if (policy.pubkeys_allowed.length > 0 || policy.pubkeys_allowed_files.length > 0) {
    ways.push(html`are on the list of allowed keys`);
  }
  if (asksForPayment(admission)) ways.push(html`have ${payment(config)}`);
  if (trust.roots.length > 0) {
    ways.push(html`are in the web of trust of this relay`);
  }
  if (nip05.required) ways.push(html`have a NIP-05 address${domains(config)}`);
  if (ways.length === 0) return [];
  const subjects = {
    author: 'Only authors may write whose keys',
    authed: 'Only authenticated clients may write, also events by others, whose keys',
    either: 'Only authors, or authenticated clients with events by others, may write whose keys',
  }[policy.access_for as 'author' | 'authed' | 'either'];
  const word = policy.access_match === 'any' ? ', or ' : ', and ';
  return [html`${subjects} ${ways.flatMap((way, i) => (i === 0 ? [way] : [word, way]))}.`];
}

function domains({ nip05 }: Config): Html {
  const { domains_allowed: allowed, domains_denied: denied } = nip05;
  if (allowed.length > 0) return html` at ${listText(allowed, 'or')}`;
  return denied.length > 0 ? html` (not at ${listText(denied, 'or')})` : html``;
}

function payment({ admission }: Config): Html {
  const { payments_url: url, fee_msats: fee, subscription_msats: subscription } = admission;
  const href = linkable(url);
  const paid = href === null ? html`paid` : html`<a href="${href}" rel="nofollow">paid</a>`;
  const prices = [
    ...(fee > 0 ? [`${sats(fee)} once`] : []),
    ...(subscription > 0 ? [`${sats(subscription)} for ${admission.subscription_days} days`] : []),
  ];
  return prices.length === 0 ? paid : html`${paid} (${listText(prices)})`;
}

function sats(msats: number): string {
  return `${countText(msats / 1000)} sats`;
}

function authentication({ auth }: Config): Html[] {
  const needed = auth.required === 'write' || auth.required === 'all';
  return [
    ...(needed ? [html`Clients have to authenticate with a key before they write (NIP-42).`] : []),
    html`Protected events are only accepted from their authenticated author (NIP-70).`,
  ];
}

function whatKinds({ policy, auth }: Config, kindsDisallowed: readonly string[]): Html[] {
  const denied = [...new Set([...policy.kinds_denied, ...kindsDisallowed])];
  const { kinds_allowed: allowed } = policy;
  return [
    ...(allowed.length > 0 && !auth.dm_inbox
      ? [html`Only these kinds of events are accepted: ${kindsText(allowed)}.`]
      : []),
    ...(denied.length > 0 ? [html`These kinds are not accepted: ${kindsText(denied)}.`] : []),
    ...required(policy.tags_required),
  ];
}

function required(entries: readonly string[]): Html[] {
  const found = entries.map(kindValue).filter((one) => one !== undefined);
  if (found.length === 0) return [];
  const parts = found.map(({ kinds, value }) => `${kindsOfEntry(kinds)} a “${value}” tag`);
  return [html`Some events need a tag: ${listText(parts)}.`];
}

function form({ limits, policy }: Config): Html[] {
  const { created_at_past_seconds_max: past, created_at_future_seconds_max: future } = limits;
  return [
    ...proofOfWork(policy),
    html`An event has at most ${bytesText(limits.event_bytes_max)}, and ${countText(limits.content_length_max)} characters of content.`,
    ...(past > 0
      ? [html`It may be up to ${durationText(past)} old when it arrives.`]
      : [html`Its age is not limited.`]),
    ...(future > 0
      ? [html`It may not be dated more than ${durationText(future)} ahead of the clock.`]
      : []),
    ...(policy.hashtags_max > 0
      ? [html`It has at most ${countText(policy.hashtags_max)} hashtags.`]
      : []),
    ...(policy.mentions_max > 0
      ? [html`It mentions (p tags) at most ${countText(policy.mentions_max)} keys.`]
      : []),
  ];
}

function proofOfWork({ pow_min: bits, pow_min_by_kind: byKind }: Config['policy']): Html[] {
  const others = byKind.map(kindValue).filter((one) => one !== undefined);
  const parts = others.map(({ kinds, value }) => `${kindsOfEntry(kinds)} ${value} bits`);
  if (bits === 0 && parts.length === 0) return [];
  if (bits === 0) return [html`Some events need a proof of work (NIP-13): ${listText(parts)}.`];
  const but = parts.length === 0 ? '' : `; ${listText(parts)}`;
  return [html`Events need a proof of work of ${bits} bits (NIP-13)${but}.`];
}

/** Sentences about the filters beyond fixed rules: patterns, spam, plugins and modules. */
function pipeline({ policy, plugins, spam }: Config): Html[] {
  const patterns =
    policy.content_patterns_denied.length > 0 || policy.tag_patterns_denied.length > 0;
  return [
    ...(patterns ? [html`Some words and tags are not accepted.`] : []),
    ...(spam.mode === 'enforce'
      ? [html`Events that look like spam are refused, or held until a moderator has reviewed them.`]
      : []),
    ...(plugins.commands.length > 0 || policy.modules.length > 0
      ? [html`Programs of the operator also check events, and may refuse some.`]
      : []),
  ];
}
