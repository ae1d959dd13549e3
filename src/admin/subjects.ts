import { decodeNpub } from '../config/npub.ts';
import { normalNetwork } from '../lib/network-set.ts';
import type { ListName } from '../policy/lists.ts';
import { KIND_MAX } from '../protocol/kinds.ts';
import { AdminError } from './room.ts';

/** What has to be written for a subject of each list. */
const MUST: Readonly<Record<ListName, string>> = {
  pubkey: 'a public key, as 64 hex characters or npub1…',
  author: 'a public key, as 64 hex characters or npub1…',
  event: 'an event id, 64 hex characters',
  kind: `a kind, a number from 0 to ${KIND_MAX}`,
  ip: 'an IP address or a network like 192.0.2.0/24',
};

/** The one form of a subject, as it stands in the list. @throws AdminError `usage` when it is none. */
export function normalSubject(list: ListName, text: string): string {
  const normal = parse(list, text.trim());
  if (normal === null) throw new AdminError('usage', `"${text}" is not ${MUST[list]}.`);
  return normal;
}

function parse(list: ListName, text: string): string | null {
  switch (list) {
    case 'pubkey':
    case 'author':
      return hex(text) ?? decodeNpub(text) ?? null;
    case 'event':
      return hex(text);
    case 'kind':
      return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= KIND_MAX ? text : null;
    case 'ip':
      return normalNetwork(text);
  }
}

function hex(text: string): string | null {
  return /^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : null;
}
