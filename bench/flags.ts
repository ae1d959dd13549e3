// Actions and flags of `wok bench`. Every wok command imports this file, so it imports only types.

import type { ActionUsage, Flag } from '../src/cli/command.ts';

/** Actions of `wok bench`. */
export const benchActions = {
  list: { args: '', summary: 'Show all scenarios and their cases' },
  generate: { args: '', summary: 'Write a dataset of events to a file' },
  run: { args: '<scenarios>...', summary: 'Measure one relay: all, ingest, ingest/fresh, …' },
  probe: { args: '<url>', summary: 'Show the features of a relay, on one screen' },
  compare: {
    args: '<first> <second>',
    summary: 'Measure two relays in turns; each is an address, a commit or a directory',
  },
} as const satisfies Readonly<Record<string, ActionUsage>>;
export type BenchAction = keyof typeof benchActions;

/** Flag with the actions that accept it. */
interface BenchFlag extends Flag {
  readonly of: readonly BenchAction[];
}

/** Flags of `wok bench`. */
export const benchFlags: readonly BenchFlag[] = [
  {
    of: ['run'],
    name: '--url <url>',
    text: 'Measure the relay at this address',
    excludes: ['start', 'set'],
  },
  {
    of: ['run'],
    name: '--start',
    text: 'Start a fresh wok on an empty directory and measure that',
  },
  {
    of: ['run', 'compare'],
    name: '--set <key=value>',
    text: 'Setting of the wok that is started; may be repeated',
    repeatable: true,
  },
  {
    of: ['run'],
    name: '--pid <number>',
    text: 'Process id of a relay on this machine, to measure CPU, memory and disk; may be repeated',
    repeatable: true,
    excludes: ['start'],
  },
  {
    of: ['compare'],
    name: '--pid-a <number>',
    text: 'The same for A, when it is an address',
    repeatable: true,
  },
  {
    of: ['compare'],
    name: '--pid-b <number>',
    text: 'The same for B, when it is an address',
    repeatable: true,
  },
  {
    of: ['run'],
    name: '--data-dir <directory>',
    text: 'Database directory of the relay, to measure its size',
    excludes: ['start'],
  },
  {
    of: ['run'],
    name: '--import-command <command>',
    text: 'Shell command that imports {file}, a dataset, into the stopped relay (scenario import)',
  },
  {
    of: ['run', 'compare', 'generate'],
    name: '--events <number>',
    text: 'Events in the main dataset (50,000)',
  },
  { of: ['run', 'compare', 'generate'], name: '--seed <number>', text: 'Seed of the dataset (1)' },
  {
    of: ['run', 'compare', 'generate'],
    name: '--until <time>',
    text: 'created_at of the newest event, in seconds since 1970, or today (2026-06-01)',
  },
  {
    of: ['generate'],
    name: '--profile <name>',
    text: 'Kind of events: social (default), notes, versions',
  },
  {
    of: ['generate'],
    name: '--out <file>',
    text: 'Output file, instead of the cache',
    excludes: ['cache'],
  },
  {
    of: ['run', 'compare', 'generate'],
    name: '--cache <directory>',
    text: 'Cache of datasets (wok-bench in the directory for temporary files)',
  },
  {
    of: ['run', 'compare', 'generate'],
    name: '--threads <number>',
    text: 'Threads that generate the load (2 to 4, by the processors) or the events (all)',
  },
  {
    of: ['run', 'compare'],
    name: '--connections <number>',
    text: 'Connections of the measured part, instead of those of the scenario',
  },
  {
    of: ['run', 'compare'],
    name: '--in-flight <number>',
    text: 'Events or requests in flight on each connection',
  },
  {
    of: ['run', 'compare'],
    name: '--rate <number>',
    text: 'Fixed rate of events or requests per second, instead of a closed loop',
  },
  { of: ['run', 'compare'], name: '--subscriptions <number>', text: 'Live subscriptions' },
  { of: ['run', 'compare'], name: '--seconds <number>', text: 'Duration of each case' },
  {
    of: ['run', 'compare'],
    name: '--short',
    text: 'Smallest sizes: checks that it works, measures nothing',
  },
  {
    of: ['compare'],
    name: '--scenario <names>',
    text: 'Scenarios or cases to compare, with commas (ingest/fresh,req)',
  },
  { of: ['compare'], name: '--rounds <number>', text: 'Rounds in which A and B take turns (5)' },
  {
    of: ['run', 'compare', 'probe'],
    name: '--json <file>',
    text: 'Write all results as JSON; - is standard output',
  },
  {
    of: ['run', 'compare'],
    name: '--html <file>',
    text: 'Write a self-contained report with charts',
  },
  {
    of: ['run', 'compare', 'probe'],
    name: '--i-may-load-this-host',
    text: 'The relay is not on this machine, and its operator agreed to this',
  },
];
