// Normalization of the subjects of moderation lists.

import { normalNetwork } from '../lib/network-set.ts';
import { KIND_MAX } from '../protocol/kinds.ts';
import { eventIdIn, pubkeyIn } from '../protocol/nip19.ts';
import { RpcError } from '../rpc/method.ts';
import type { ListName } from '../store/database/listed.ts';

/** Expected form of a subject, by list; completes an error message. */
const MUST: Readonly<Record<ListName, string>> = {
  pubkey: 'a public key, as 64 hex characters, npub1… or nprofile1…',
  author: 'a public key, as 64 hex characters, npub1… or nprofile1…',
  event: 'an event id, as 64 hex characters, note1… or nevent1…',
  kind: `a kind, a number from 0 to ${KIND_MAX}`,
  ip: 'an IP address or a network like 192.0.2.0/24',
};

/** Returns the subject as stored in the list. @throws RpcError `usage` if it is invalid. */
export function normalSubject(list: ListName, text: string): string {
  const normal = parse(list, text.trim());
  if (normal === null) throw new RpcError('usage', `"${text}" is not ${MUST[list]}.`);
  return normal;
}

function parse(list: ListName, text: string): string | null {
  switch (list) {
    case 'pubkey':
    case 'author':
      return pubkeyIn(text);
    case 'event':
      return eventIdIn(text);
    case 'kind':
      return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= KIND_MAX ? text : null;
    case 'ip':
      return normalNetwork(text);
  }
}
