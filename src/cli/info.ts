// `wok info`: prints facts about the data directory and its database.

import type { Config } from '../config/options.ts';
import { exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatBytes, formatCount, formatTime } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import type { DatabaseFacts } from '../maintenance/facts.ts';
import { type Command, print } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { relayListens } from './control.ts';
import { needDatabase, storageFailure } from './failure.ts';
import { interruptible } from './interrupt.ts';

/** Owner of the lock of a data directory. */
interface Owner {
  /** True if a process has the lock: a relay, or a command that writes. */
  locked: boolean;
  /** True if that process is a relay that accepts connections at its control socket. */
  relay: boolean;
  /** Id of that process; null if there is none, or if it has not said so (`wok.running`). */
  pid: number | null;
}

/** Command `wok info`: describes the data directory, with or without a running relay. */
export const infoCommand: Command = {
  name: 'info',
  summary: 'Show version, sizes, free pages and number of events of the database',
  flags: [...directoryFlags, { name: '--json', text: 'Print the facts as JSON' }],
  examples: ['wok info --data /var/lib/wok', 'wok info --json'],
  run(call) {
    const { storage } = configOfCall(call);
    needDatabase(storage);
    const progress = new Progress();
    return interruptible(async (signal) => {
      try {
        const owner = await ownerOf(storage.directory);
        const facts = await factsOf(storage, signal, progress);
        progress.clear();
        if (call.flags.has('json')) {
          const { content, ...rest } = facts;
          print(JSON.stringify({ ...rest, ...content, ...owner }));
        } else print(textOf(facts, owner));
        return exitCodes.ok;
      } catch (error) {
        progress.clear();
        return signal.aborted ? INTERRUPTED : storageFailure(error, storage);
      }
    });
  },
};

async function factsOf(
  storage: Config['storage'],
  signal: AbortSignal,
  progress: Progress,
): Promise<DatabaseFacts> {
  const { openReader } = await import('../store/database/open.ts');
  const { databaseFacts } = await import('../maintenance/facts.ts');
  const db = openReader(storage);
  try {
    return await databaseFacts(db, storage.directory, {
      signal,
      progress: (events) =>
        progress.update('counting', events, 0, () => `${formatCount(events)} events`),
    });
  } finally {
    db.close();
  }
}

async function ownerOf(directory: string): Promise<Owner> {
  const { isLocked } = await import('../store/database/lock.ts');
  const { readMarker } = await import('../store/database/open-marker.ts');
  if (!isLocked(directory)) return { locked: false, relay: false, pid: null };
  const pid = readMarker(directory)?.pid ?? null;
  return { locked: true, relay: await relayListens(directory), pid };
}

function textOf(facts: DatabaseFacts, owner: Owner): string {
  const { database, schemaVersion, databaseBytes, writeAheadLogBytes } = facts;
  const { pages, pageBytes, freePages, freeBytes, content } = facts;
  const log = `${formatBytes(writeAheadLogBytes)} in the write-ahead log`;
  const back = freePages === 0 ? '' : `; wok compact gives back ${formatBytes(freeBytes)} or more`;
  return [
    `database    ${database}, schema version ${schemaVersion}`,
    `size        ${formatBytes(databaseBytes)} in the file, ${log}`,
    `pages       ${formatCount(pages)} of ${pageBytes} bytes, ${formatCount(freePages)} of them free${back}`,
    ...contentLines(content),
    `relay       ${ownerText(owner)}`,
  ].join('\n');
}

function contentLines(content: DatabaseFacts['content']): string[] {
  if (content === null) return ['events      not counted: this wok has another schema version'];
  const { events, unindexed, seq, oldestCreatedAt, newestCreatedAt } = content;
  const count = `${formatCount(events)}, ${formatCount(unindexed)} of them not indexed yet; last seq ${seq}`;
  if (oldestCreatedAt === null || newestCreatedAt === null) return [`events      ${count}`];
  return [
    `events      ${count}`,
    `created_at  ${formatTime(oldestCreatedAt)} to ${formatTime(newestCreatedAt)}`,
  ];
}

function ownerText({ locked, relay, pid }: Owner): string {
  if (!locked) return 'none runs on the directory';
  const process = pid === null ? 'a process' : `process ${pid}`;
  if (relay) return `runs, ${process}`;
  return `${process} has the lock: a command that writes, or a relay that starts or stops`;
}
