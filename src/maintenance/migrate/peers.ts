// Text of the streams of another relay for relay.conf, as blocks that are commented out.

import { tomlValue } from '../../config/toml-text.ts';

/** Stream of events between a relay and others. */
export interface Peering {
  readonly name: string;
  readonly dir: 'up' | 'down' | 'both';
  readonly urls: readonly string[];
  /** Filter in Nostr's form, `{}` for all events. */
  readonly filter?: Readonly<Record<string, unknown>>;
  /** Commands of plugins, by direction. */
  readonly pluginDown?: string | undefined;
  readonly pluginUp?: string | undefined;
}

const HEAD =
  'Streams to and from other relays. Each block needs a decision: remove the comment signs, and\ncompare the names with those in relay.conf (wok config print --defaults) before you use it.\n';

/** Returns the block for some streams; '' if there are none. */
export function peersBlock(streams: readonly Peering[]): string {
  if (streams.length === 0) return '';
  return `${HEAD}${streams.map(peerText).join('')}`;
}

function peerText({ name, dir, urls, filter = {}, pluginDown, pluginUp }: Peering): string {
  const lines = [
    '',
    '[[peers]]',
    `name = ${tomlValue(name)}`,
    `urls = ${tomlValue(urls)}`,
    `direction = ${tomlValue(dir)}`,
  ];
  if (Object.keys(filter).length > 0) lines.push(`filter = ${tomlValue(JSON.stringify(filter))}`);
  if (pluginDown !== undefined) lines.push(`plugin_down = ${tomlValue(pluginDown)}`);
  if (pluginUp !== undefined) lines.push(`plugin_up = ${tomlValue(pluginUp)}`);
  return `${lines.join('\n')}\n`;
}
