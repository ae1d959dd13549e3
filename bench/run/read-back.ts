// Check after a run that published events are stored.

import type { NostrEvent } from '../../src/protocol/event.ts';
import { Asker } from '../client/asker.ts';
import type { Target } from '../client/target.ts';
import type { Dataset } from '../dataset/dataset.ts';
import { Random } from '../dataset/random.ts';
import type { Publishing } from './prepare.ts';

/** Number of events that are looked up after a run. */
const SAMPLE = 200;
const IDS_AT_ONCE = 20;
const FIRST_ADDRESSABLE = 30_000;

/** Result of reading back the events of a run. */
export interface ReadBack {
  /** Number of events or addresses that were looked up. */
  readonly checked: number;
  /** Faults, each with an example. */
  readonly faults: readonly { readonly kind: string; readonly example: string }[];
}

/**
 * Looks up a sample of the published events by id, over a new connection: accepted ones must be
 * there, refused ones must not. Of versions, the newest one that was sent must be the stored one.
 */
export async function readBack(target: Target, publishing: Publishing): Promise<ReadBack> {
  const asker = await Asker.open(target);
  try {
    return publishing.part.as === 'versions'
      ? await readVersions(asker, publishing)
      : await readEvents(asker, publishing);
  } finally {
    await asker.close();
  }
}

/** Returns the number of a few events of a dataset, and of those stored on a relay. */
export async function storedSample(
  target: Target,
  dataset: Dataset,
): Promise<{ asked: number; found: number }> {
  const asker = await Asker.open(target);
  try {
    const random = new Random(7);
    const lines = Array.from({ length: IDS_AT_ONCE }, () => random.below(dataset.count));
    const ids = lines.filter((line) => dataset.isPublic(line)).map((line) => dataset.id(line));
    const wanted = [...new Set(ids)];
    const { events } = await asker.query([{ ids: wanted }]);
    return { asked: wanted.length, found: events.length };
  } finally {
    await asker.close();
  }
}

async function readEvents(asker: Asker, { dataset, items }: Publishing): Promise<ReadBack> {
  const lines = new Uint32Array(items.lines);
  const accepted = new Uint8Array(items.accepted);
  const sentAt = new Float64Array(items.sentAt);
  const random = new Random(lines.length, 2);
  const wanted = new Map<string, boolean>();
  for (let i = 0; i < SAMPLE; i++) {
    const item = random.below(lines.length);
    // An event that was never sent is not checked.
    if (sentAt[item] === 0 || !dataset.isPublic(lines[item]!)) continue;
    wanted.set(dataset.id(lines[item]!), accepted[item] === 1);
  }
  const found = new Set<string>();
  const ids = [...wanted.keys()];
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const { events } = await asker.query([{ ids: ids.slice(at, at + IDS_AT_ONCE) }]);
    for (const { id } of events) found.add(id);
  }
  const faults: { kind: string; example: string }[] = [];
  for (const [id, isStored] of wanted) {
    if (isStored && !found.has(id)) {
      faults.push({ kind: 'an accepted event cannot be read back', example: id });
    } else if (!isStored && found.has(id)) {
      faults.push({ kind: 'a refused event was stored', example: id });
    }
  }
  return { checked: wanted.size, faults };
}

async function readVersions(asker: Asker, { dataset, items }: Publishing): Promise<ReadBack> {
  const lines = new Uint32Array(items.lines);
  const sentAt = new Float64Array(items.sentAt);
  const newest = new Map<string, NostrEvent>();
  for (let item = 0; item < lines.length; item++) {
    if (sentAt[item] === 0) continue;
    const event = dataset.event(lines[item]!);
    const key = addressOf(event);
    const other = newest.get(key);
    if (other === undefined || isNewer(event, other)) newest.set(key, event);
  }
  const addresses = [...newest.values()];
  const random = new Random(lines.length, 3);
  const faults: { kind: string; example: string }[] = [];
  const checked = Math.min(SAMPLE, addresses.length);
  for (let i = 0; i < checked; i++) {
    const event = addresses[random.below(addresses.length)]!;
    const { pubkey, kind } = event;
    const d = kind >= FIRST_ADDRESSABLE ? { '#d': [dTag(event)] } : {};
    const { events } = await asker.query([{ authors: [pubkey], kinds: [kind], ...d }]);
    if (events.length === 1 && events[0]!.id === event.id) continue;
    const ids = events.map(({ id }) => id.slice(0, 12)).join(', ');
    const example = `${addressOf(event)} should be ${event.id.slice(0, 12)} and is ${ids}`;
    faults.push({ kind: 'not the newest version is stored', example });
  }
  return { checked, faults };
}

/** Returns true if `left` replaces `right` (NIP-01): later, or as late with the lower id. */
function isNewer(left: NostrEvent, right: NostrEvent): boolean {
  return left.created_at === right.created_at
    ? left.id < right.id
    : left.created_at > right.created_at;
}

function addressOf(event: NostrEvent): string {
  const d = event.kind >= FIRST_ADDRESSABLE ? dTag(event) : '';
  return `${event.kind}:${event.pubkey}:${d}`;
}

function dTag({ tags }: NostrEvent): string {
  return tags.find(([name]) => name === 'd')?.[1] ?? '';
}
