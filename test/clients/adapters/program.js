/**
 * What every JavaScript client program shares: it reads one command a line from standard input, as
 * JSON, has the library carry it out, and writes one answer a line to standard output. The
 * programs in Python and Go speak the same language; ../client.ts is the other side.
 *
 * Plain JavaScript, because Node.js 20 runs no TypeScript, and the types of these libraries are only
 * there where they are installed.
 *
 * @typedef {import('nostr-tools/core').NostrEvent} NostrEvent
 * @typedef {import('nostr-tools/filter').Filter} Filter
 *
 * @typedef {object} Client One library with one connection. What it cannot do it leaves out.
 * @property {() => Promise<void>} [connect] Connects, where that is a step of its own.
 * @property {(event: NostrEvent) => Promise<Verdict>} [publish] Sends an event and waits for its OK.
 * @property {(filter: Filter) => Promise<NostrEvent[]>} query The stored events, up to EOSE.
 * @property {(filter: Filter, hear: (event: NostrEvent) => void) => Promise<void>} [live]
 *   Subscribes and resolves at EOSE; stored and live events go to `hear`.
 * @property {(filter: Filter) => Promise<number>} [count]
 * @property {(filter: Filter, limit: number) => Promise<NostrEvent[]>} [page]
 *   Everything that matches, by the library's own paging.
 *
 * @typedef {{ accepted: boolean, message: string }} Verdict
 */
import { Console } from 'node:console';
import { createInterface } from 'node:readline';
import { finalizeEvent } from 'nostr-tools/pure';

// What libraries print goes to standard error, because standard output is for answers.
globalThis.console = new Console(process.stderr, process.stderr);
// A library that leaves a promise without a handler has not failed the command for that.
process.on('unhandledRejection', complain);

const [, , url, secret, required] = process.argv;

/**
 * Whether the relay challenges everyone at once. Libraries that repeat nothing after AUTH, or not always,
 * then authenticate before they ask, because that is what their users have to do.
 */
export const challengesAtConnect = required === 'required';

/**
 * Runs the program. `make` is given the relay's address and, where the client has a key, what signs a
 * draft with it.
 * @param {(url: string, sign: ((draft: object) => NostrEvent) | undefined) => Client | Promise<Client>} make
 */
export async function run(make) {
  const key = secret === undefined ? undefined : Buffer.from(secret, 'hex');
  const sign = key && ((draft) => plain(finalizeEvent({ created_at: now(), ...draft }, key)));
  const client = await make(url, sign);
  await client.connect?.();
  const can = ['publish', 'query', 'live', 'count'].filter((name) => name in client);
  tell({ can, pages: client.page !== undefined });
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    carryOut(client, command).then(
      (result) => tell({ id: command.id, result }),
      (error) => tell({ id: command.id, error: String(error?.message ?? error) }),
    );
  }
  process.exit(0);
}

/** @param {Client} client */
async function carryOut(client, { verb, event, filter, filters, limit }) {
  if (verb === 'publish') return client.publish(event);
  if (verb === 'count') return client.count(filter);
  if (verb === 'live') return client.live(filter, (heard) => tell({ heard: plain(heard) }));
  if (verb === 'query') {
    const answers = await Promise.all(filters.map((one) => client.query(one)));
    return answers.map((events) => events.map(plain));
  }
  if (verb === 'page') {
    const events = client.page
      ? await client.page(filter, limit)
      : await pageByTime((one) => client.query(one), filter, limit);
    return events.map(({ id }) => id);
  }
  throw new Error(`no such command: ${verb}`);
}

/**
 * What applications write whose library has no paging: ask again up to the second of the oldest
 * event, until nothing new comes.
 * @param {(filter: Filter) => Promise<NostrEvent[]>} query
 */
async function pageByTime(query, filter, limit) {
  const found = new Map();
  let until;
  for (;;) {
    const asked = { ...filter, limit, ...(until === undefined ? {} : { until }) };
    const events = await query(asked);
    const before = found.size;
    for (const event of events) found.set(event.id, event);
    if (found.size === before) return [...found.values()];
    until = Math.min(...events.map(({ created_at }) => created_at));
  }
}

/** The event without what a library has noted on it. */
function plain({ id, pubkey, created_at, kind, tags, content, sig }) {
  return { id, pubkey, created_at, kind, tags, content, sig };
}

/** Standard error is shown where the library does not answer. */
export function complain(error) {
  process.stderr.write(`${error?.stack ?? error}\n`);
}

function tell(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Seconds since 1970. */
export function now() {
  return Math.floor(Date.now() / 1000);
}

/** The draft of an answer to a challenge (NIP-42). */
export function authDraft(relay, challenge) {
  const tags = [
    ['relay', relay],
    ['challenge', challenge],
  ];
  return { kind: 22_242, content: '', tags };
}
