// Text of the streams of another relay as a file for `wok router`.

/** Stream of events between a relay and others. */
export interface Peering {
  readonly name: string;
  readonly dir: 'up' | 'down' | 'both';
  readonly urls: readonly string[];
  /** Filter in Nostr's form, `{}` for all events. */
  readonly filter?: Readonly<Record<string, unknown>>;
}

const HEAD =
  'Streams to and from other relays: write these lines, without the comment signs, into a file for\nwok router FILE (docs/mirroring.md).\n';

/** Returns the lines for some streams; '' if there are none. */
export function peersBlock(streams: readonly Peering[]): string {
  if (streams.length === 0) return '';
  return `${HEAD}\nstreams {\n${streams.map(peerText).join('')}}\n`;
}

function peerText({ name, dir, urls, filter = {} }: Peering): string {
  const parts = [`dir = ${JSON.stringify(dir)}`, `urls = ${JSON.stringify(urls)}`];
  if (Object.keys(filter).length > 0) parts.push(`filter = ${JSON.stringify(filter)}`);
  return `  ${JSON.stringify(name)} { ${parts.join(' ')} }\n`;
}
