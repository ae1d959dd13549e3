// Check of the entries [[peers]] of a configuration.

import { nearest } from '../lib/nearest.ts';
import { parseFilters } from '../protocol/filter-text.ts';
import { kindsIn } from '../protocol/kind-range.ts';
import { checkValue } from './check.ts';
import type { OptionValue } from './option-types.ts';
import {
  type FieldName,
  type NamedPeer,
  PEERS_MAX,
  type PeerEntry,
  peerFields,
  peersIn,
} from './peer-fields.ts';

/** Number of kinds of one entry: they are sent with every REQ. */
const KINDS_MAX = 1_000;

const fieldNames = Object.keys(peerFields) as readonly FieldName[];

/** Entry as a source has it, not checked yet. */
export interface GivenPeer {
  readonly value: unknown;
  /** Returns the origin of a field, or of the entry, to begin a sentence with. */
  readonly where: (field?: string) => string;
}

/**
 * Checks the entries of the strongest source that has some.
 *
 * @param problems gets a sentence for each problem.
 */
export function checkPeers(given: readonly GivenPeer[], problems: string[]): PeerEntry[] {
  const before = problems.length;
  const entries = given.map((one, index) => checkEntry(one, `peers[${index}]`, problems));
  if (problems.length > before) return [];
  const named = peersIn(entries as PeerEntry[]);
  const place = given[0]?.where() ?? '';
  const found = (entries as PeerEntry[]).reduce((sum, entry) => sum + entry.relay_lists, 0);
  const count = named.length + found;
  if (count > PEERS_MAX) {
    problems.push(`${place}: peers has ${count} relays, but at most ${PEERS_MAX} can be.`);
  }
  const names = new Map<string, NamedPeer>();
  for (const peer of named) {
    if (names.has(peer.name)) {
      const where = given[entries.indexOf(peer.entry)]?.where() ?? place;
      problems.push(
        `${where}: two peers have the name "${peer.name}". Write another name = "…" for one of them.`,
      );
    }
    names.set(peer.name, peer);
  }
  return problems.length > before ? [] : (entries as PeerEntry[]);
}

function checkEntry({ value, where }: GivenPeer, name: string, problems: string[]): PeerEntry {
  const entry = Object.fromEntries(
    fieldNames.map((field) => [field, peerFields[field].default as OptionValue]),
  );
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${where()}: ${name} must be a table, like [[peers]] with urls below it.`);
    return entry as unknown as PeerEntry;
  }
  for (const [field, given] of Object.entries(value)) {
    if (!isField(field)) {
      problems.push(`${where(field)}: ${unknownField(field)}`);
      continue;
    }
    const names = { name: `${name}.${field}`, assigned: field, isText: false };
    const checked = checkValue(peerFields[field], given, names);
    if ('problem' in checked) problems.push(`${where(field)}: ${checked.problem}`);
    else entry[field] = checked.value;
  }
  const checked = Object.freeze(entry) as unknown as PeerEntry;
  const { relay_lists: lists } = checked;
  if (lists === 0 && isEmpty((value as { urls?: unknown }).urls ?? [])) {
    problems.push(
      `${where()}: ${name} has no address. Write urls = ["wss://relay.example.com"] below it.`,
    );
  }
  if (lists > 0 && (checked.dir !== 'down' || !namesAuthors(checked))) {
    problems.push(
      `${where('relay_lists')}: ${name}.relay_lists needs dir = "down" and a filter with authors, like filter = '{"authors":["…"]}'.`,
    );
  }
  const kinds = kindsIn(checked.kinds).length;
  if (kinds > KINDS_MAX) {
    problems.push(
      `${where('kinds')}: ${name}.kinds names ${kinds} kinds, but at most ${KINDS_MAX} fit into a REQ. Leave it out, and let plugin_down or plugin_up decide.`,
    );
  }
  return checked;
}

function namesAuthors({ filter }: PeerEntry): boolean {
  const filters = filter === '' ? undefined : parseFilters(filter);
  return filters?.every(({ authors }) => authors !== null) ?? false;
}

function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}

function isField(text: string): text is FieldName {
  return Object.hasOwn(peerFields, text);
}

function unknownField(field: string): string {
  const meant = nearest(field, fieldNames);
  const advice =
    meant === undefined ? `There are: ${fieldNames.join(', ')}.` : `Did you mean ${meant}?`;
  return `a peer has no setting ${field}. ${advice}`;
}
