// `wok delete`: removes stored events, through the relay if one runs, else in the database itself.

import type { Config } from '../config/options.ts';
import { durationSeconds } from '../lib/duration.ts';
import { exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatCount } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import { REMOVED_AT_ONCE } from '../moderation/rpc/removal.ts';
import type { Filter } from '../protocol/filter.ts';
import type { Selected } from '../store/read/select.ts';
import { type Call, type Command, CommandError, print, UsageError } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { askRelay } from './control.ts';
import { needDatabase, storageFailure } from './failure.ts';
import { filterFlags, filtersOfCall } from './filter-flags.ts';
import { interruptible } from './interrupt.ts';

/** Command `wok delete`: removes stored events for good. */
export const deleteCommand: Command = {
  name: 'delete',
  summary: 'Remove the events that match a filter or exceed an age',
  flags: [
    ...directoryFlags,
    ...filterFlags,
    { name: '--age <time>', text: 'Only events older than this: seconds, or 30d, 12w, 2y' },
    { name: '--reason <text>', text: 'Reason for the audit log' },
    { name: '--dry-run', text: 'Only print how many events match' },
  ],
  examples: [
    `wok delete --age 1y --kinds 1 --dry-run`,
    `wok delete --filter '{"#t":["spam"]}' --reason spam`,
  ],
  async run(call) {
    const filters = wantedOf(call);
    const { storage } = configOfCall(call);
    needDatabase(storage);
    return interruptible(async (signal) => {
      const removal = new Removal(call, storage, filters, signal);
      try {
        const count = call.flags.has('dry-run') ? await removal.count() : await removal.run();
        const done = call.flags.has('dry-run') ? 'would be removed' : 'were removed';
        print(`${formatCount(count)} events ${done}.`);
      } catch (error) {
        if (error instanceof CommandError) throw error;
        return storageFailure(error, storage);
      } finally {
        removal.progress.clear();
      }
      return signal.aborted ? INTERRUPTED : exitCodes.ok;
    });
  },
};

function wantedOf(call: Call): Filter[] {
  const { flags } = call;
  const age = flags.last('age');
  const names = ['filter', 'since', 'until', 'kinds', 'authors', 'age'];
  if (!names.some((name) => flags.has(name))) {
    throw new UsageError(`Give --filter or --age; --filter '{}' matches all stored events.`);
  }
  const filters = filtersOfCall(call);
  if (age === undefined) return filters;
  const seconds = /^\d+$/.test(age) ? Number(age) : durationSeconds(age);
  if (seconds === null) {
    throw new UsageError(`--age is "${age}", but must be seconds or a duration like 12h, 30d, 2y.`);
  }
  const until = Math.floor(Date.now() / 1000) - seconds;
  return filters.map((filter) => {
    if (filter.until !== null)
      throw new UsageError('--age and until set the same condition; use one.');
    return { ...filter, until };
  });
}

class Removal {
  readonly progress = new Progress();
  readonly #call: Call;
  readonly #storage: Config['storage'];
  readonly #filters: readonly Filter[];
  readonly #signal: AbortSignal;

  constructor(
    call: Call,
    storage: Config['storage'],
    filters: readonly Filter[],
    signal: AbortSignal,
  ) {
    this.#call = call;
    this.#storage = storage;
    this.#filters = filters;
    this.#signal = signal;
  }

  async count(): Promise<number> {
    const { openReader, termKey } = await import('../store/database/open.ts');
    const { TermHasher } = await import('../store/index/terms.ts');
    const db = openReader(this.#storage);
    let count = 0;
    for await (const _ of this.#selected({ db, hasher: new TermHasher(termKey(db)) })) count++;
    db.close();
    return count;
  }

  /** Removes the events through the relay if one runs, else by itself; returns their number. */
  async run(): Promise<number> {
    return (await this.#relayRuns()) ? this.#byRelay() : this.#offline();
  }

  async #relayRuns(): Promise<boolean> {
    try {
      await askRelay(this.#call, 'status');
      return true;
    } catch (error) {
      if (error instanceof CommandError && error.exitCode === exitCodes.unavailable) return false;
      throw error;
    }
  }

  async #byRelay(): Promise<number> {
    const { openReader, termKey } = await import('../store/database/open.ts');
    const { TermHasher } = await import('../store/index/terms.ts');
    const db = openReader(this.#storage);
    let removed = 0;
    let seqs: number[] = [];
    const send = async (audit: unknown) => {
      const answer = await askRelay<{ removed: number }>(this.#call, 'events.remove', {
        seqs,
        audit,
      });
      removed += answer.removed;
      seqs = [];
    };
    for await (const { seq } of this.#selected({ db, hasher: new TermHasher(termKey(db)) })) {
      seqs.push(seq);
      if (seqs.length === REMOVED_AT_ONCE) await send(null);
    }
    db.close();
    await send(this.#note(removed + seqs.length));
    return removed;
  }

  async #offline(): Promise<number> {
    const { OfflineRemover } = await import('../maintenance/remover.ts');
    const remover = new OfflineRemover(this.#storage);
    try {
      let removed = 0;
      for await (const { seq } of this.#selected(remover)) if (remover.remove(seq)) removed++;
      remover.close(this.#note(removed));
      return removed;
    } catch (error) {
      remover.abandon();
      throw error;
    }
  }

  #note(count: number) {
    const { flags } = this.#call;
    const what = ['filter', 'since', 'until', 'kinds', 'authors', 'age'].flatMap((name) =>
      flags.all(name).map((value) => `--${name} ${value}`),
    );
    const subject = `${count} events: ${what.join(' ')}`.slice(0, 4000);
    return { subject, reason: flags.last('reason') ?? '' };
  }

  async *#selected(from: {
    db: import('../store/database/open.ts').Db;
    hasher: import('../store/index/terms.ts').TermHasher;
  }): AsyncGenerator<Selected> {
    const { select } = await import('../store/read/select.ts');
    let count = 0;
    const { db, hasher } = from;
    const selection = { db, hasher, filters: this.#filters, direction: 'upwards' as const };
    for (const one of select({ ...selection, nowSeconds: null })) {
      if (this.#signal.aborted) return;
      yield one;
      if (++count % 1000 !== 0) continue;
      this.progress.update('removing', count, 0, () => `${formatCount(count)} events`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
