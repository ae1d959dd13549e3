// @ts-check
/**
 * A policy module: keys that this worker has not seen before write slowly and without links at first.
 * It works on the event alone and answers at once, so it costs a microsecond.
 *
 * policy.modules = ["./first-steps.js"]
 */

/** So many notes, within so many seconds, before a key is no longer new. */
const NOTES = 3;
const SECONDS = 60;
/** Keys that are remembered; the one that was seen the longest time ago is forgotten first. */
const KEYS_MAX = 100_000;

/** @type {Map<string, { notes: number, since: number }>} */
const seen = new Map();

/** @type {import('wok-relay/policy').AcceptEvent} */
export function acceptEvent(event) {
  if (event.kind !== 1) return true;
  const now = Date.now() / 1000;
  const key = seen.get(event.pubkey) ?? { notes: 0, since: now };
  seen.delete(event.pubkey);
  seen.set(event.pubkey, key);
  if (seen.size > KEYS_MAX) seen.delete(/** @type {string} */ (seen.keys().next().value));

  if (now - key.since > SECONDS) return true;
  if (/https?:\/\//i.test(event.content)) {
    return `blocked: no links in your first ${SECONDS} seconds here`;
  }
  if (key.notes >= NOTES) {
    const wait = Math.ceil(SECONDS - (now - key.since));
    return `rate-limited: ${NOTES} notes are enough to begin with; wait ${wait} seconds`;
  }
  key.notes++;
  return true;
}
