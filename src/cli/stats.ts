// `wok stats`: prints the number of stored events and their bytes by kind, author or day.

import { setImmediate } from 'node:timers/promises';
import { exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatBytes, formatCount, formatShare, formatTime } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import type { LineOutput } from '../maintenance/event-lines.ts';
import type { Grouping } from '../maintenance/statistics.ts';
import type { Group, GroupKey, GroupSum, GroupTable } from '../store/database/group-table.ts';
import { kindName } from '../web/words.ts';
import { type Call, type Command, UsageError } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { needDatabase, storageFailure } from './failure.ts';
import { filterFlags, filtersOfCall } from './filter-flags.ts';
import { interruptible } from './interrupt.ts';

const TOP = 20;
const SECONDS_A_DAY = 86_400;

/** Command `wok stats`: counts the stored events by group, with or without a running relay. */
export const statsCommand: Command = {
  name: 'stats',
  summary: 'Show the number of stored events and their bytes by kind, author or day',
  flags: [
    ...directoryFlags,
    { name: '--by <group>', text: 'Group by kind (default), author, or day of created_at in UTC' },
    {
      name: '--top <number>',
      text: `Groups to show, the largest or the newest days (default ${TOP}, 0: all)`,
    },
    ...filterFlags,
    { name: '--json', text: 'Print the groups as JSON' },
  ],
  examples: [
    'wok stats --data /var/lib/wok',
    'wok stats --by author --kinds 1 --top 10',
    'wok stats --by day --since 2026-01-01 --top 0',
  ],
  run(call) {
    const by = groupingOf(call);
    const top = call.flags.integer('top', 0, 1_000_000_000) ?? TOP;
    const filters = filtersOfCall(call);
    const { storage } = configOfCall(call);
    needDatabase(storage);
    const progress = new Progress();
    return interruptible(async (signal) => {
      try {
        const [{ openReader }, { groupEvents }, { LineOutput }] = await Promise.all([
          import('../store/database/open.ts'),
          import('../maintenance/statistics.ts'),
          import('../maintenance/event-lines.ts'),
        ]);
        const db = openReader(storage);
        const note = (done: number) => () => `${formatCount(done)} events`;
        const table = await groupEvents(db, {
          by,
          filters,
          signal,
          progress: (done, total) =>
            progress.update('counting', done, total, total === 0 ? note(done) : undefined),
        }).finally(() => db.close());
        progress.clear();
        const output = new LineOutput(process.stdout);
        const report = { table, by, top, total: table.sum(), output, signal };
        await (call.flags.has('json') ? writeJson(report) : writeText(report));
        table.close();
        return signal.aborted ? INTERRUPTED : exitCodes.ok;
      } catch (error) {
        progress.clear();
        return signal.aborted ? INTERRUPTED : storageFailure(error, storage);
      }
    });
  },
};

/** @throws UsageError */
function groupingOf({ flags }: Call): Grouping {
  const by = flags.last('by') ?? 'kind';
  if (by === 'kind' || by === 'author' || by === 'day') return by;
  throw new UsageError(`--by must be kind, author or day, not "${by}".`);
}

/** Groups to write, and where to; the output ends early when its reader closes it, or on Ctrl-C. */
interface Report {
  table: GroupTable;
  by: Grouping;
  /** Number of groups to show; 0: all. */
  top: number;
  total: GroupSum;
  output: LineOutput;
  signal: AbortSignal;
}

async function writeText(report: Report): Promise<void> {
  const { by, total, output } = report;
  const headings = ['events', 'share', 'bytes', 'share'];
  const widest = [formatCount(total.events), '100 %', '99.9 kB', '100 %'];
  const line = (cells: readonly string[], text: string) => {
    const padded = cells.map((cell, at) =>
      cell.padStart(Math.max(headings[at]!.length, widest[at]!.length)),
    );
    return `${padded.join('  ')}  ${text}`;
  };
  const row = ({ events, bytes }: Omit<Group, 'key'>, text: string) => {
    const share = [shareOf(events, total.events), shareOf(bytes, total.bytes)] as const;
    return line([formatCount(events), share[0], formatBytes(bytes), share[1]], text);
  };
  await output.line(line(headings, by));
  const rest = await eachGroup(report, (group) => row(group, labelOf(by, group.key)));
  if (rest.groups > 0) await output.line(row(rest, `(${groupsText(by, rest.groups)} more)`));
  await output.line(row(total, `(${groupsText(by, total.groups)} in all)`));
  await output.flush();
}

/** Writes one JSON object, a line for each group, so that memory for all of them is not needed. */
async function writeJson(report: Report): Promise<void> {
  const { by, total, output } = report;
  await output.line(`{"by":"${by}","total":${JSON.stringify(total)},"groups":[`);
  let separator = '';
  const rest = await eachGroup(report, ({ key, events, bytes }) => {
    const line = separator + JSON.stringify({ ...namesOf(by, key), events, bytes });
    separator = ',';
    return line;
  });
  await output.line(`],"rest":${JSON.stringify(rest)}}`);
  await output.flush();
}

/** Writes a line for each of the first groups; returns the sum of all other groups. */
async function eachGroup(
  { table, by, top, total, output, signal }: Report,
  lineOf: (group: Group) => string,
): Promise<GroupSum> {
  const rest = { ...total };
  for (const group of table.sorted(by === 'day' ? 'key' : 'events', top)) {
    if (signal.aborted || output.closed) break;
    rest.groups--;
    rest.events -= group.events;
    rest.bytes -= group.bytes;
    await output.line(lineOf(group));
    // Signals are handled between two turns of the event loop.
    if (rest.groups % 1_000 === 0) await setImmediate();
  }
  return rest;
}

function shareOf(part: number, all: number): string {
  return formatShare(all === 0 ? 0 : part / all);
}

function groupsText(by: Grouping, count: number): string {
  return `${formatCount(count)} ${by}${count === 1 ? '' : 's'}`;
}

function labelOf(by: Grouping, key: GroupKey): string {
  if (by === 'day') return dayOf(key);
  const name = by === 'kind' ? kindName(Number(key)) : undefined;
  return name === undefined ? String(key) : `${key} (${name})`;
}

/** Returns the key of a group as fields of JSON: `{ kind: 1, name: 'notes' }`. */
function namesOf(by: Grouping, key: GroupKey): Record<string, GroupKey | undefined> {
  if (by === 'kind') return { kind: key, name: kindName(Number(key)) };
  return by === 'day' ? { day: dayOf(key) } : { author: key };
}

/** Returns a day since 1970 as a date; as the second in which it begins if no date is so late. */
function dayOf(key: GroupKey): string {
  return formatTime(Number(key) * SECONDS_A_DAY).split('T', 1)[0]!;
}
