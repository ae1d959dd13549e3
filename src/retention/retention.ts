// Retention: removal of events by age, count and database size. State is owned by the admin worker;
// the writer removes the events.

import type { AuthorClass } from '../config/retention-rule.ts';
import * as sql from '../store/database/sql.ts';
import type { RetentionReport, RuleTotal } from '../web/api/config.ts';
import {
  type Candidate,
  type ClassOf,
  oldest,
  PAGE,
  type Page,
  tooMany,
  tooOld,
} from './candidates.ts';
import type { RetentionContext } from './context.ts';
import { Pass } from './pass.ts';
import { RetentionRules } from './rules.ts';

/** Maximum number of events removed in one transaction, between which the writer commits. */
const SLICE_EVENTS = 100;
/** Pause after each slice. */
const REST_MILLISECONDS = 10;
/** Interval of the check whether a run is due. */
const LOOK_MILLISECONDS = 5_000;
/**
 * Estimated bytes of the file, postings included, for each byte of a stored body. A run that freed
 * too little is followed by another.
 */
const FILE_BYTES_PER_BODY_BYTE = 1.5;
const DAY_SECONDS = 86_400;

/**
 * Removes the events that the retention rules do not keep, in the background: by age and count
 * every `retention.interval_seconds`, by the byte budget whenever the database has grown beyond it.
 * Everything is read in short snapshots and removed in small transactions, so that reading and
 * writing go on.
 */
export class Retention {
  readonly #context: RetentionContext;
  readonly #timer: NodeJS.Timeout;
  #rules: RetentionRules;
  #dueAt: number;
  /** Time of the next size check, in seconds since 1970; delayed when a run removed nothing. */
  #budgetDueAt = 0;
  #running: Promise<unknown> | null = null;
  #stopped = false;

  constructor(context: RetentionContext) {
    this.#context = context;
    this.#rules = new RetentionRules(context.config);
    this.#dueAt = context.clock.seconds() + context.config.retention.interval_seconds;
    this.#timer = setInterval(() => this.#look(), LOOK_MILLISECONDS);
  }

  reconfigure(): void {
    const { config, clock } = this.#context;
    this.#rules = new RetentionRules(config);
    this.#dueAt = Math.min(this.#dueAt, clock.seconds() + config.retention.interval_seconds);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Returns what a run would remove now, without removing anything. */
  preview(pass = new Pass()): Promise<RetentionReport> {
    return this.#pass(async () => {}, pass);
  }

  /** Removes now what the rules do not keep; one run at a time. */
  async run(by: string, pass = new Pass()): Promise<RetentionReport> {
    while (this.#running) await this.#running.catch(() => {});
    const run = this.#carryOut(by, pass);
    this.#running = run.finally(() => {
      this.#running = null;
    });
    return await run;
  }

  #look(): void {
    const { clock, config, log } = this.#context;
    if (this.#running || this.#stopped) return;
    const now = clock.seconds();
    const checksSize = this.#rules.bytesMax > 0 && now >= this.#budgetDueAt;
    if (now < this.#dueAt && !(checksSize && this.#isOverBudget())) return;
    this.#dueAt = clock.seconds() + config.retention.interval_seconds;
    this.run('relay').catch((error) => {
      if (!this.#stopped)
        log.warn('a retention run failed, trying again later', { error: String(error) });
    });
  }

  async #carryOut(by: string, pass: Pass): Promise<RetentionReport> {
    const report = await this.#pass((slice) => this.#remove(slice, by), pass);
    const { clock, config, log } = this.#context;
    const at = clock.seconds();
    for (const { rule, events, bytes } of report.rules) {
      const reason = `${events} events, ${bytes} bytes`;
      await this.#context.change([
        { t: 'audit', at, by, action: 'retention', subject: rule, reason },
      ]);
    }
    if (report.events > 0) {
      log.info('events were removed by retention rules', { events: report.events });
    }
    if (report.events === 0) this.#budgetDueAt = at + config.retention.interval_seconds;
    const days = config.moderation.audit_days;
    if (days > 0)
      await this.#context.change([{ t: 'forgetAudit', before: at - days * DAY_SECONDS }]);
    return report;
  }

  /** Passes all candidates to `take`, slice by slice. */
  async #pass(take: (slice: Candidate[]) => Promise<void>, pass: Pass): Promise<RetentionReport> {
    const { db, clock } = this.#context;
    const rules = this.#rules;
    const classOf = this.#classes();
    const { totals } = pass;
    const usedBytes = this.#usedBytes();
    pass.usedBytes = usedBytes;
    const seen = new Seen(this.#head());
    const through = async (pages: Iterable<Page>, enough = () => false) => {
      for (const page of pages) {
        pass.looked += PAGE;
        const fresh = page.filter(({ seq }) => !seen.has(seq));
        for (let at = 0; at < fresh.length && !enough() && pass.goesOn(); at += SLICE_EVENTS) {
          const slice = fresh.slice(at, at + SLICE_EVENTS);
          await take(slice);
          for (const one of slice) {
            seen.add(one.seq);
            count(totals, one);
          }
        }
        if (enough() || this.#stopped || !pass.goesOn()) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    if (rules.hasAges) await through(tooOld(db, rules, classOf, clock.seconds()));
    if (rules.hasCounts) await through(tooMany(db, rules, classOf));
    if (rules.bytesMax > 0 && usedBytes > rules.bytesMax) {
      const freed = () => pass.report.bytes * FILE_BYTES_PER_BODY_BYTE;
      await through(oldest(db, rules, classOf), () => usedBytes - freed() <= rules.bytesTarget);
    }
    return pass.report;
  }

  async #remove(slice: readonly Candidate[], by: string): Promise<void> {
    if (this.#stopped) throw new Error('the admin worker is stopping');
    const seqs = slice.map(({ seq }) => seq);
    const why = { rule: 'retention', by: by === 'relay' ? '' : by, text: slice[0]!.rule };
    await this.#context.change([{ t: 'remove', seqs, why }]);
    await new Promise((resolve) => setTimeout(resolve, REST_MILLISECONDS));
  }

  #head(): number {
    return (this.#context.db.prepare(sql.SELECT_HEADS).get() as { head: number }).head;
  }

  /** Returns true if the database exceeds the budget and all removals have been swept from it. */
  #isOverBudget(): boolean {
    const swept = this.#context.db.prepare(sql.SELECT_ANY_SWEEP).get() === undefined;
    return swept && this.#usedBytes() > this.#rules.bytesMax;
  }

  #usedBytes(): number {
    const pragma = (name: string) => this.#context.db.pragma(name, { simple: true }) as number;
    return pragma('page_size') * (pragma('page_count') - pragma('freelist_count'));
  }

  /**
   * Returns the classifier of authors. Members are admins, moderators, allowed keys, keys with a
   * role, and keys named in the configuration.
   */
  #classes(): ClassOf {
    const { db, config, lists, clock } = this.#context;
    const { admin, info, policy, retention } = config;
    const withRole = db.prepare(sql.SELECT_ROLES_OF).all() as { pubkey: string }[];
    const members = new Set([
      info.pubkey,
      ...admin.pubkeys,
      ...admin.moderators,
      ...policy.pubkeys_allowed,
      ...retention.pubkeys_protected,
      ...lists.subjects('pubkey', 'allow', clock.seconds()),
      ...withRole.map(({ pubkey }) => pubkey),
    ]);
    return (pubkey): AuthorClass => (members.has(pubkey) ? 'members' : 'others');
  }
}

/** Bitmap of the events already counted: a preview may meet an event by several rules. */
class Seen {
  readonly #bits: Uint8Array;

  constructor(head: number) {
    this.#bits = new Uint8Array(Math.ceil((head + 1) / 8));
  }

  /** Returns true for counted events, and for those stored since, which the next run handles. */
  has(seq: number): boolean {
    const byte = this.#bits[Math.floor(seq / 8)];
    return byte === undefined || (byte & (1 << (seq % 8))) !== 0;
  }

  add(seq: number): void {
    this.#bits[Math.floor(seq / 8)]! |= 1 << (seq % 8);
  }
}

function count(totals: Map<string, RuleTotal>, { rule, bytes, createdAt }: Candidate): void {
  const none = { rule, events: 0, bytes: 0, oldest: createdAt, newest: createdAt };
  const total = totals.get(rule) ?? none;
  total.events++;
  total.bytes += bytes;
  total.oldest = Math.min(total.oldest, createdAt);
  total.newest = Math.max(total.newest, createdAt);
  totals.set(rule, total);
}
