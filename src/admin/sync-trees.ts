// Filters whose events sync keeps in trees, beyond those of the configuration: stored in the
// database, told to sync, with the sizes that it reports.

import type { Channel } from '../channel/channel.ts';
import { MessageInbox, MessageOutbox } from '../channel/outbox.ts';
import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { ToSync, TreeSize, TreesMessage } from '../messages/admin-sync.ts';
import type { Change } from '../messages/admin-writer.ts';
import { conditionsKey, parseConditions } from '../protocol/filter-text.ts';
import { RpcError } from '../rpc/method.ts';
import type { Db } from '../store/database/open.ts';
import * as sql from '../store/database/sql.ts';

const SETTING = 'negentropy.filters';

/** Parts of the admin worker that it needs. */
interface SyncTreesContext {
  readonly config: Config;
  readonly db: Db;
  readonly clock: Clock;
  change(changes: readonly Change[]): Promise<readonly number[]>;
}

/** Tree as `wok negentropy list` shows it. */
export interface ListedTree extends TreeSize {
  /** `always`: the tree of all events; `configuration`: of negentropy.filters. */
  readonly from: 'always' | 'configuration' | 'added';
}

/** Filters with a tree, and their sizes. */
export class SyncTrees {
  readonly #context: SyncTreesContext;
  #sizes: readonly TreeSize[] = [];
  #sync: MessageOutbox<ToSync> | null = null;

  constructor(context: SyncTreesContext) {
    this.#context = context;
  }

  attach(channel: Channel): void {
    this.#sync = new MessageOutbox<ToSync>(channel);
    const inbox = new MessageInbox<TreesMessage>();
    channel.receive((batch) => {
      for (const { trees } of inbox.read(batch)) this.#sizes = trees;
    });
    this.#tell({ t: 'filters', filters: this.#added() });
  }

  /** All trees, that of all events first. */
  get list(): ListedTree[] {
    const sizeOf = (filter: string) =>
      this.#sizes.find((one) => one.filter === filter) ?? { filter, events: 0, isComplete: false };
    const { enabled, filters } = this.#context.config.negentropy;
    if (!enabled) return [];
    return [
      { ...sizeOf(''), from: 'always' },
      ...filters.map((filter) => ({ ...sizeOf(filter), from: 'configuration' }) as const),
      ...this.#added().map((filter) => ({ ...sizeOf(filter), from: 'added' }) as const),
    ];
  }

  /** Has sync keep a tree of a filter, from now on. @throws RpcError */
  async add(text: string, by: string): Promise<void> {
    const filter = filterOf(text);
    const added = this.#added();
    const { filters, trees_max: most } = this.#context.config.negentropy;
    const all = [...filters, ...added];
    if (all.some((one) => isSame(one, filter)))
      throw new RpcError('refused', 'There is a tree of this filter already.');
    if (all.length >= most)
      throw new RpcError('refused', `At most ${most} filters can have a tree; remove one first.`);
    await this.#store([...added, JSON.stringify(JSON.parse(text))], 'add', text, by);
  }

  /** Ends a tree that was added. @throws RpcError */
  async remove(text: string, by: string): Promise<void> {
    const filter = filterOf(text);
    const added = this.#added();
    const left = added.filter((one) => !isSame(one, filter));
    if (left.length === added.length) {
      const isConfigured = this.#context.config.negentropy.filters.some((one) =>
        isSame(one, filter),
      );
      const why = isConfigured
        ? 'This filter is in negentropy.filters of the configuration; remove it there.'
        : 'There is no tree of this filter.';
      throw new RpcError('refused', why);
    }
    await this.#store(left, 'remove', text, by);
  }

  /** Has sync load a tree anew. @throws RpcError */
  rebuild(text: string): void {
    const filter = filterOf(text);
    if (!this.list.some((one) => one.filter !== '' && isSame(one.filter, filter)))
      throw new RpcError('refused', 'There is no tree of this filter; add it first.');
    this.#tell({ t: 'rebuild', filter: text });
  }

  async #store(filters: readonly string[], what: string, subject: string, by: string) {
    const at = this.#context.clock.seconds();
    const value = filters.length === 0 ? null : JSON.stringify(filters);
    const action = `${what} negentropy tree`;
    await this.#context.change([
      { t: 'setting', name: SETTING, value },
      { t: 'audit', at, by, action, subject, reason: '' },
    ]);
    this.#tell({ t: 'filters', filters });
  }

  #tell(message: ToSync): void {
    this.#sync?.send(message);
    this.#sync?.flush();
  }

  #added(): string[] {
    const rows = this.#context.db.prepare(sql.SELECT_SETTINGS).all() as {
      name: string;
      value: string;
    }[];
    const value = rows.find(({ name }) => name === SETTING)?.value;
    return value === undefined ? [] : (JSON.parse(value) as string[]);
  }
}

function filterOf(text: string): Parameters<typeof conditionsKey>[0] {
  const filter = parseConditions(text);
  if (filter !== undefined) return filter;
  throw new RpcError(
    'usage',
    'A tree is of a filter of authors, kinds or tags, like \'{"kinds":[0,3]}\', without ids, since, until and limit.',
  );
}

function isSame(text: string, filter: Parameters<typeof conditionsKey>[0]): boolean {
  const other = parseConditions(text);
  return other !== undefined && conditionsKey(other) === conditionsKey(filter);
}
