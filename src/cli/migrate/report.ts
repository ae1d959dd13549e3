// Texts of `wok migrate`: what was carried over, the counts of the passes, and when and how to
// switch.

import { type OptionKey, optionKeys } from '../../config/options.ts';
import { tomlValue } from '../../config/toml-text.ts';
import { timeText } from '../../lib/duration.ts';
import { formatCount, formatSeconds } from '../../lib/format.ts';
import type { Tally } from '../../maintenance/import/tally.ts';
import type { Counted, Reading } from '../../maintenance/migrate/source.ts';
import type { Remark, Translation } from '../../maintenance/migrate/translation.ts';
import { columns } from '../mod/action.ts';
import type { Advice } from './sources.ts';

const SHOWN_LENGTH_MAX = 48;
/** Second passes with fewer new events and fewer seconds than these are good moments to switch. */
const FEW_EVENTS = 1_000;
const FEW_SECONDS = 60;
/** Time before the start of this run from which on a shortened last run reads. */
const OVERLAP_SECONDS = 86_400;

/**
 * Returns the carried-over options and the remarks of a translation, as lines of text.
 *
 * @param file relay.conf that will have all remarks; undefined: those that need nothing are shown.
 */
export function planText({ translation, from }: Reading, file: string | undefined): string {
  const { options, remarks } = translation;
  const lost = remarks.filter(({ needsAction }) => needsAction);
  const rest = remarks.filter(({ needsAction }) => !needsAction);
  const rows = optionKeys.flatMap((key) => {
    const carried = options.get(key);
    return carried === undefined
      ? []
      : [[`  ${key}`, shortened(key, translation), carried.from.join(', ')]];
  });
  return [
    `From ${from}:`,
    `Options carried over: ${formatCount(options.size)}`,
    ...(rows.length === 0 ? [] : [columns(rows)]),
    `Needs a decision: ${formatCount(lost.length)}`,
    ...lost.map(remarkText),
    `Needs nothing: ${formatCount(rest.length)}${file === undefined ? '' : `, listed in ${file}`}`,
    ...(file === undefined ? rest.map(({ key, text }) => `  ${key}: ${text}`) : []),
  ].join('\n');
}

function shortened(key: OptionKey, { options }: Translation): string {
  const text = tomlValue(options.get(key)!.value);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}

function remarkText({ key, value, text }: Remark): string {
  return `  ${key}${value === '' ? '' : ` = ${value}`}\n      ${text}`;
}

/** Returns the number of events that a source has said it has. */
export function countText({ events, hidden }: Counted, name: string): string {
  const kept = hidden === 0 ? '' : `; deleted or replaced, not copied: ${formatCount(hidden)}`;
  return `Events in ${name}: ${formatCount(events)}${kept}.`;
}

/** Returns the counts of a pass. */
export function passText(pass: 'first' | 'second', tally: Tally, seconds: number): string {
  const name = pass === 'first' ? 'First pass' : 'Second pass, for what came meanwhile';
  const speed = `${formatCount(tally.lines / Math.max(seconds, 0.001))} events/s`;
  return `${name}: ${tally.summary()}\n${formatSeconds(seconds)}, ${speed}`;
}

/** Returns a sentence that compares the counts of the source with what was read. */
export function agreementText({ events }: Counted, first: Tally): string {
  const { lines, added, duplicates, refused } = first;
  const sum = `${formatCount(lines)} read = ${formatCount(added)} added + ${formatCount(duplicates)} already stored + ${formatCount(refused)} refused`;
  if (lines === events) return `The numbers agree: ${formatCount(events)} counted, ${sum}.`;
  const more = lines > events;
  const by = formatCount(Math.abs(lines - events));
  return `${formatCount(events)} counted, ${sum}: ${by} ${more ? 'more than' : 'fewer than'} counted, which the relay ${more ? 'stored' : 'removed'} meanwhile.`;
}

/** Facts that decide about the switch. */
export interface Switch {
  readonly advice: Advice;
  /** Path of relay.conf; undefined if there is none. */
  readonly file: string | undefined;
  /** Address that wok will listen on. */
  readonly host: string;
  readonly port: number;
  /** Counts of the second pass and its seconds; null if the source has none. */
  readonly second: { readonly tally: Tally; readonly seconds: number } | null;
  /** Time at which this run began, in seconds. */
  readonly beganAt: number;
}

/** Returns when and how to switch, and the way back. */
export function switchText({ advice, file, host, port, second, beganAt }: Switch): string {
  const { relay, stop, back } = advice;
  const since = timeText(beganAt - OVERLAP_SECONDS).slice(0, 10);
  const config = file === undefined ? '' : ` --config ${file}`;
  const steps = [
    ...(file === undefined
      ? []
      : [`Check what needs a decision in ${file}, then: wok config check${config}`]),
    `Stop ${relay}: ${stop}`,
    ...(second === null
      ? []
      : [
          `Run the same command again: it stores the last events and counts the others as already stored. With --since ${since} it is shorter, and misses older events that arrived late.`,
        ]),
    `Start wok: wok relay${config}. It listens on ${host}:${port}, so nothing else may use that port.`,
  ];
  return [
    momentText(relay, second),
    ...steps.map((step, n) => `  ${n + 1}. ${step}`),
    `The way back: ${relay} keeps all its events; this command only reads them. Stop wok, write what it has stored since the switch into a file (wok export${config} --since DATE > back.jsonl), start ${relay} and give it that file: ${back}`,
    'docs/migrating.md has each step.',
  ].join('\n');
}

function momentText(relay: string, second: Switch['second']): string {
  if (second === null) return `To switch from ${relay}:`;
  const { tally, seconds } = second;
  const found = `the second pass found ${formatCount(tally.added)} new events in ${formatSeconds(seconds)}`;
  if (tally.added <= FEW_EVENTS && seconds <= FEW_SECONDS) {
    return `Now is a good moment to switch from ${relay}: ${found}.`;
  }
  return `Run the same command again before you switch from ${relay}: ${found}. When it finds few, the last run is short:`;
}
