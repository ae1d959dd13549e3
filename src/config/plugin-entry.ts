// Parser of the entries of `plugins.commands`: settings like `fail=open`, then a shell command.

import { kindRange } from '../protocol/kind-range.ts';

/** Plugin as a configuration names it; settings left out come from the section `plugins`. */
export interface PluginEntry {
  /** Command that `sh -c` runs. */
  readonly command: string;
  /** Name in logs and rejections; the file name of the command unless `name=` says otherwise. */
  readonly name: string;
  /** Kinds that it is asked about, like "1" or "20000-29999"; empty: all. */
  readonly kinds: readonly string[];
  /** Requests that it is asked about: events, REQ and COUNT, or both. */
  readonly asks: 'writes' | 'reads' | 'both';
  readonly fail?: 'open' | 'closed';
  readonly timeoutMilliseconds?: number;
  readonly processes?: number;
  readonly pipeline?: number;
  /** Variables of the relay's environment that it gets in addition to the usual ones. */
  readonly environment?: readonly string[];
}

/** Description of a `plugins.commands` entry, to follow "must be". */
export const PLUGIN_ENTRY_MUST =
  'a shell command, or settings (name= kinds= asks= fail= timeout= processes= pipeline= env=), " -- " and a shell command, like "fail=open kinds=1,7 -- ./spam.py"';

type Settings = { -readonly [Key in keyof PluginEntry]?: PluginEntry[Key] };

const SETTINGS: Readonly<Record<string, (text: string, into: Settings) => boolean>> = {
  name: (text, into) => /^[\w.-]{1,64}$/.test(text) && set(into, 'name', text),
  kinds: (text, into) =>
    text.split(',').every((range) => kindRange(range)) && set(into, 'kinds', text.split(',')),
  asks: (text, into) =>
    (text === 'writes' || text === 'reads' || text === 'both') && set(into, 'asks', text),
  fail: (text, into) => (text === 'open' || text === 'closed') && set(into, 'fail', text),
  timeout: (text, into) => {
    const found = /^(\d{1,6})(ms|s)$/.exec(text);
    const milliseconds = found ? Number(found[1]) * (found[2] === 's' ? 1000 : 1) : 0;
    return milliseconds > 0 && set(into, 'timeoutMilliseconds', milliseconds);
  },
  processes: (text, into) => whole(text, 64) && set(into, 'processes', Number(text)),
  pipeline: (text, into) => whole(text, 1024) && set(into, 'pipeline', Number(text)),
  env: (text, into) =>
    text.split(',').every(isPassable) && set(into, 'environment', text.split(',')),
};

function set<Key extends keyof Settings>(into: Settings, key: Key, value: Settings[Key]): true {
  into[key] = value;
  return true;
}

/**
 * Returns true if a variable may be passed on. The relay's own settings (`WOK_…`) may not:
 * secrets are among them.
 */
function isPassable(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name) && !/^WOK_/i.test(name);
}

function whole(text: string, max: number): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= max;
}

/** Parses an entry; returns undefined if it is not valid. */
export function parsePluginEntry(text: string): PluginEntry | undefined {
  const found = /^\s*((?:\w+=\S+\s+)+)--\s+(.*)$/s.exec(text);
  const command = (found?.[2] ?? text).trim();
  if (command === '' || command.includes('\0')) return undefined;
  const settings: Settings = {};
  for (const word of (found?.[1] ?? '').split(/\s+/).filter(Boolean)) {
    const equals = word.indexOf('=');
    const key = word.slice(0, equals);
    if (!Object.hasOwn(SETTINGS, key)) return undefined;
    if (!SETTINGS[key]!(word.slice(equals + 1), settings)) return undefined;
  }
  const { name = nameOf(command), kinds = [], asks = 'writes', ...rest } = settings;
  return { ...rest, command, name, kinds, asks };
}

/**
 * Returns the default name, `spam.py` for `LANG=C python3 /etc/wok/spam.py --model x`: the file
 * name of the first word that is a path, else the first word.
 */
function nameOf(command: string): string {
  const words = command.split(/\s+/).filter((word) => !/^\w+=/.test(word));
  const path = words.find((word) => word.includes('/')) ?? words[0] ?? '';
  return path.slice(path.lastIndexOf('/') + 1).replace(/[^\w.-]/g, '') || 'plugin';
}
