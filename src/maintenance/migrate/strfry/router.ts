// Reader of the file of `strfry router`: streams to and from other relays.

import { parseTaocppConfig, type TaocppValue } from '../../../lib/taocpp-config.ts';
import { isTree, shown } from '../translation.ts';

/** Stream of a router file. */
export interface RouterStream {
  readonly name: string;
  readonly dir: 'up' | 'down' | 'both';
  /** Addresses of the other relays. */
  readonly urls: readonly string[];
  /** Filter of the events that it carries; `{}` for all. */
  readonly filter: Readonly<Record<string, unknown>>;
  /** Commands of the plugins that decide about events; undefined: none. */
  readonly pluginDown: string | undefined;
  readonly pluginUp: string | undefined;
}

/** Contents of a router file. */
export interface RouterFile {
  readonly streams: readonly RouterStream[];
  readonly connectionTimeoutSeconds: number | undefined;
  readonly verbose: boolean | undefined;
  /** Sentence for everything in the file that was left out, with its key. */
  readonly problems: readonly string[];
}

const STREAM_KEYS = new Set(['dir', 'urls', 'filter', 'pluginDown', 'pluginUp']);

/**
 * Reads the text of a router file. A stream that cannot be used is left out, with a problem.
 *
 * @throws TaocppConfigError if the text is no configuration.
 */
export function readRouterFile(text: string): RouterFile {
  const { streams, connectionTimeout, verbose, ...others } = parseTaocppConfig(text);
  const problems = Object.keys(others).map((key) => `${key}: wok does not know this key.`);
  const found: RouterStream[] = [];
  if (!isTree(streams)) problems.push('streams: there is no such section.');
  for (const [name, value] of Object.entries(isTree(streams) ? streams : {})) {
    const stream = streamOf(name, value as TaocppValue);
    if (typeof stream === 'string') problems.push(`streams.${name}: ${stream}`);
    else found.push(stream);
    for (const key of Object.keys(isTree(value) ? value : {})) {
      if (!STREAM_KEYS.has(key))
        problems.push(`streams.${name}.${key}: wok does not know this key.`);
    }
  }
  return {
    streams: found,
    connectionTimeoutSeconds: typeof connectionTimeout === 'number' ? connectionTimeout : undefined,
    verbose: typeof verbose === 'boolean' ? verbose : undefined,
    problems,
  };
}

/** Returns a stream, or a sentence that says what is wrong with it. */
function streamOf(name: string, value: TaocppValue): RouterStream | string {
  if (!isTree(value)) return 'it is not a section.';
  const { dir, urls, filter, pluginDown, pluginUp } = value;
  if (dir !== 'up' && dir !== 'down' && dir !== 'both') {
    return `dir must be "up", "down" or "both", not ${shown(dir) || 'left out'}.`;
  }
  const list = Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [];
  if (list.length === 0) return 'urls must be a list of addresses.';
  return {
    name,
    dir,
    urls: list,
    filter: isTree(filter) ? filter : {},
    pluginDown: textOf(pluginDown),
    pluginUp: textOf(pluginUp),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
