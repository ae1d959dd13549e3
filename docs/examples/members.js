// @ts-check
/**
 * A policy module for a community: members write and read everything; others read profiles and relay
 * lists only; addresses that are not welcome do not get in. Members and addresses stand in files next to
 * the relay (one key or address a line), which may change while it runs.
 *
 * policy.modules = ["./members.js"], MEMBERS_FILE=./members.txt, ADDRESSES_FILE=./unwelcome.txt
 */
import { readFile, stat } from 'node:fs/promises';

const PUBLIC_KINDS = [0, 10002];

const members = lines(process.env.MEMBERS_FILE ?? './members.txt');
const unwelcome = lines(process.env.ADDRESSES_FILE ?? './unwelcome.txt');

/** @type {import('wok-relay/policy').PolicyModule['start']} */
export async function start({ worker, log }) {
  log('members are known', { worker, members: (await members()).size });
}

/** @type {import('wok-relay/policy').AcceptConnection} */
export async function acceptConnection({ ip }) {
  return (await unwelcome()).has(ip) ? 'blocked: this address is not welcome here' : true;
}

/** @type {import('wok-relay/policy').AcceptEvent} */
export async function acceptEvent({ pubkey }) {
  return (await members()).has(pubkey) || 'restricted: only members write here';
}

/** @type {import('wok-relay/policy').AcceptFilter} */
export async function acceptFilter(filters, { authed }) {
  const known = await members();
  for (const pubkey of authed) if (known.has(pubkey)) return true;
  const allowed = filters.flatMap((filter) => {
    const kinds = (filter.kinds ?? PUBLIC_KINDS).filter((kind) => PUBLIC_KINDS.includes(kind));
    return kinds.length > 0 ? [{ ...filter, kinds }] : [];
  });
  if (allowed.length === 0) return 'auth-required: only members read this';
  return { action: 'replace', filters: allowed };
}

/**
 * The lines of a file as a set, read again when the file has changed, looked at once a second at most.
 *
 * @param {string} file
 */
function lines(file) {
  /** @type {Set<string>} */
  let set = new Set();
  let changed = -1;
  let looked = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - looked < 1000) return set;
    looked = performance.now();
    const { mtimeMs } = await stat(file);
    if (mtimeMs !== changed) {
      set = new Set((await readFile(file, 'utf8')).split(/\s+/).filter(Boolean));
      changed = mtimeMs;
    }
    return set;
  };
}
