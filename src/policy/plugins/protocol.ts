// strfry's write-policy protocol for plugins: one JSON line each way. See docs/plugins.md. The
// fields have strfry's order; `type` `req` and `count` are wok's own.

/** Source types of the protocol: where an event or a query came from. */
export const sourceTypes = ['IP4', 'IP6', 'Import', 'Stream', 'Sync', 'Stored'] as const;
export type SourceType = (typeof sourceTypes)[number];

/** Sender of an event or a query, in the terms of the protocol. */
export interface Source {
  readonly type: SourceType;
  /** IP address, or the URL of a relay. */
  readonly info: string;
  /** Public key that the connection has authenticated (NIP-42), or ''. */
  readonly authed: string;
}

type PluginAction = 'accept' | 'reject' | 'shadowReject' | 'replace';

/** Answer of a plugin. */
export interface PluginAnswer {
  readonly action: PluginAction;
  readonly message: string;
  /** Filters of `replace`, to be answered instead. */
  readonly filters: readonly unknown[] | null;
}

/** Returns the line that asks about an event; `json` is canonical. */
export function eventLine(json: Uint8Array, source: Source, receivedAt: number): Buffer {
  const before = `{${authed(source)}"event":`;
  const after = `,${common(source, receivedAt)},"type":"new"}\n`;
  return Buffer.concat([Buffer.from(before), json, Buffer.from(after)]);
}

/** Returns the line for a REQ or COUNT. The answer carries `id`; `filters` is a JSON array. */
export function queryLine(
  type: 'req' | 'count',
  id: string,
  subId: string,
  filters: Uint8Array,
  source: Source,
  receivedAt: number,
): Buffer {
  const before = `{${authed(source)}"filters":`;
  const after = `,"id":"${id}",${common(source, receivedAt)},"subId":${JSON.stringify(subId)},"type":"${type}"}\n`;
  return Buffer.concat([Buffer.from(before), filters, Buffer.from(after)]);
}

function authed(source: Source): string {
  return source.authed === '' ? '' : `"authed":"${source.authed}",`;
}

function common({ type, info }: Source, receivedAt: number): string {
  return `"receivedAt":${receivedAt},"sourceInfo":${JSON.stringify(info)},"sourceType":"${type}"`;
}

/** Parsed line of a plugin: an answer to `id`, or the reason why it is none. */
type Said =
  | { t: 'answer'; id: string; answer: PluginAnswer }
  | { t: 'nonsense' }
  | { t: 'unknown action'; id: string };

/** Parses a line of a plugin; nonsense is no JSON object with an id, as plugins print things. */
export function readLine(line: string): Said {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { t: 'nonsense' };
  }
  if (typeof value !== 'object' || value === null) return { t: 'nonsense' };
  const { id, action, msg, filters } = value as Record<string, unknown>;
  if (typeof id !== 'string') return { t: 'nonsense' };
  if (!isAction(action)) return { t: 'unknown action', id };
  const message = typeof msg === 'string' ? msg.toWellFormed() : '';
  return {
    t: 'answer',
    id,
    answer: { action, message, filters: Array.isArray(filters) ? filters : null },
  };
}

function isAction(value: unknown): value is PluginAction {
  return (
    value === 'accept' || value === 'reject' || value === 'shadowReject' || value === 'replace'
  );
}
