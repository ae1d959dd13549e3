// Web of trust, computed by the admin worker from the stored follow lists.

import type { NostrEvent } from '../protocol/event.ts';
import { KIND_FOLLOWS, KIND_METADATA } from '../protocol/kinds.ts';
import { jsonOf, pubkeyOf, type StoredBody } from '../store/body/body.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';
import type { TermHasher } from '../store/index/terms.ts';

/** Longest time for which the admin worker is kept from other work. */
const STRETCH_MILLISECONDS = 5;
/** Maximum number of followed keys that are counted, besides the trusted ones. */
const COUNTED_MAX = 8_000_000;
/** Pattern of p tags in canonical JSON: quotes in content are escaped, so only tags match. */
const FOLLOWED = /\["p","([0-9a-f]{64})"/g;

interface TrustLimits {
  depth: number;
  followersMin: number;
  keysMax: number;
}

/** Reads the newest replaceable events of authors from the index. */
export class Profiles {
  readonly #hasher: TermHasher;
  readonly #newest;

  constructor(db: Db, hasher: TermHasher) {
    this.#hasher = hasher;
    this.#newest = db.prepare(sql.SELECT_NEWEST_BODIES).pluck();
  }

  /** Returns the keys that a key follows, by its stored follow list. */
  followsOf(pubkey: string): string[] {
    const json = this.#body(pubkey, KIND_FOLLOWS);
    return json === null ? [] : Array.from(json.matchAll(FOLLOWED), ([, key]) => key!);
  }

  /** Returns the content of the stored profile of a key, or ''. */
  profileOf(pubkey: string): string {
    const json = this.#body(pubkey, KIND_METADATA);
    return json === null ? '' : (JSON.parse(json) as NostrEvent).content;
  }

  #body(pubkey: string, kind: number): string | null {
    const found = this.#newest.all(this.#hasher.authorKind(pubkey, kind), 4) as StoredBody[];
    // Terms are hashes and may collide.
    const texts = found.filter((body) => pubkeyOf(body) === pubkey).map(jsonOf);
    return texts.find((json) => isKind(json, kind)) ?? null;
  }
}

/**
 * Returns the keys within `depth` steps of the roots in the stored follow lists: the roots, the
 * keys that they follow, and from there on the keys followed by at least `followersMin` trusted
 * keys.
 */
export async function webOfTrust(
  profiles: Profiles,
  roots: readonly string[],
  { depth, followersMin, keysMax }: TrustLimits,
): Promise<Set<string>> {
  const trusted = new Set(roots);
  const followers = new Map<string, number>();
  let edge: readonly string[] = roots;
  let stretch = performance.now();
  for (let step = 1; step <= depth && trusted.size < keysMax; step++) {
    for (const pubkey of edge) {
      for (const followed of new Set(profiles.followsOf(pubkey))) {
        if (trusted.has(followed)) continue;
        const count = followers.get(followed) ?? 0;
        if (count > 0 || followers.size < COUNTED_MAX) followers.set(followed, count + 1);
      }
      if (performance.now() - stretch < STRETCH_MILLISECONDS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      stretch = performance.now();
    }
    const needed = step === 1 ? 1 : followersMin;
    const next: string[] = [];
    for (const [pubkey, count] of followers) {
      if (count < needed || trusted.size >= keysMax) continue;
      trusted.add(pubkey);
      next.push(pubkey);
      followers.delete(pubkey);
    }
    edge = next;
  }
  return trusted;
}

function isKind(json: string, kind: number): boolean {
  // "kind":… follows "created_at":… in canonical JSON.
  const at = json.indexOf('"kind":', 150);
  return Number.parseInt(json.slice(at + 7, at + 14), 10) === kind;
}
