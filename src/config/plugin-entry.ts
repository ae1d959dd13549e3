import { kindRange } from './kind-range.ts';

/** A plugin as a configuration names it; what it leaves open is in the section `plugins`. */
export interface PluginEntry {
  /** What `sh -c` runs. */
  readonly command: string;
  /** What logs and verdicts call it; the file name of the command unless `name=` says otherwise. */
  readonly name: string;
  /** Kinds that it is asked about, like "1" or "20000-29999"; none: all. */
  readonly kinds: readonly string[];
  /** Whether it is asked about events, about REQ and COUNT, or both. */
  readonly asks: 'writes' | 'reads' | 'both';
  readonly fail?: 'open' | 'closed';
  readonly timeoutMilliseconds?: number;
  readonly processes?: number;
  readonly pipeline?: number;
  /** Variables of the relay's environment that it gets beside the usual ones. */
  readonly environment?: readonly string[];
}

/** What a `plugins.commands` entry is, to follow "must be". */
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

/** The relay's own settings (`WOK_…`) cannot be passed on: secrets are among them. */
function isPassable(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name) && !/^WOK_/i.test(name);
}

function whole(text: string, max: number): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= max;
}

/** The entry that a text stands for, or undefined when it is none. */
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

/** `spam.py` of `LANG=C python3 /etc/wok/spam.py --model x`: the first word that is a path, else the first. */
function nameOf(command: string): string {
  const words = command.split(/\s+/).filter((word) => !/^\w+=/.test(word));
  const path = words.find((word) => word.includes('/')) ?? words[0] ?? '';
  return path.slice(path.lastIndexOf('/') + 1).replace(/[^\w.-]/g, '') || 'plugin';
}
