// kill -9 while clients publish: nothing acknowledged is lost, and log and index agree. Relays in
// their own processes, over real sockets; the tests read the database, too. WOK_TEST_ROUNDS sets
// the number of kills.

import { describe, expect, it } from 'vitest';
import { canonicalJson, hashesTo } from '../../src/protocol/canonical.ts';
import type { NostrEvent } from '../../src/protocol/event.ts';
import { jsonOf, type StoredBody } from '../../src/store/body/body.ts';
import { type Db, openReader, termKey } from '../../src/store/database/open.ts';
import { TERM_ALL, TermHasher } from '../../src/store/index/terms.ts';
import { Author } from '../support/author.ts';
import { TEST_MILLISECONDS } from '../support/ceiling.ts';
import { Client } from '../support/client.ts';
import { delay, until, WokProcess } from '../support/process.ts';
import { Publisher } from '../support/publisher.ts';
import { Random, testSeed } from '../support/random.ts';
import { freshDirectory, type Settings, testConfig } from '../support/relay.ts';

const ROUNDS = Number(process.env.WOK_TEST_ROUNDS ?? 6);
const CLIENTS = 4;
const IN_FLIGHT = 100;
/** Number of acknowledgements that every round has before its kill. */
const ACKNOWLEDGED_MIN = 40;
/**
 * Number of events of one client that share a second and a tag, so that one query gets all of them.
 */
const GROUP = 100;
const KIND_REPLACEABLE = 30_078;

/** Events that one client of one round published, and the queries that find them afterwards. */
class Load {
  readonly author = new Author();
  readonly events = new Map<string, NostrEvent>();
  /** Ids of the events that a deletion names, by the id of the deletion. */
  readonly targets = new Map<string, string[]>();
  readonly #name: string;
  readonly #random: Random;
  readonly #start = Math.floor(Date.now() / 1000) - 100_000;
  #count = 0;

  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  next(acknowledged: ReadonlyMap<string, unknown>): NostrEvent {
    const n = this.#count++;
    const group = Math.floor(n / GROUP);
    const created_at = this.#start + group;
    const dice = this.#random.below(20);
    const t = ['t', this.tag(group)];
    let event: NostrEvent;
    if (dice === 0) {
      const notes = [...acknowledged.keys()]
        .slice(-40)
        .filter((id) => this.events.get(id)!.kind === 1);
      const ids = this.#random.sample(notes, 3);
      event = this.author.event({ kind: 5, created_at, tags: [t, ...ids.map((id) => ['e', id])] });
      this.targets.set(event.id, ids);
    } else if (dice === 1) {
      // Newer than all before it: the second tells them apart.
      const d = ['d', `place ${this.#random.below(5)}`];
      event = this.author.event({ kind: KIND_REPLACEABLE, created_at: this.#start + n, tags: [d] });
    } else {
      const content = 'x'.repeat(this.#random.below(this.#random.chance(0.02) ? 20_000 : 400));
      const tags = [t, ['p', this.author.pubkey], ['e', this.#random.hex(64), '', 'reply']];
      event = this.author.event({ kind: 1, created_at, tags, content: `${n} "${content}"` });
    }
    this.events.set(event.id, event);
    return event;
  }

  tag(group: number): string {
    return `${this.#name} ${group}`;
  }

  /**
   * Yields filters that together find all events but the replaceable ones: by tag, and by author
   * and kind.
   */
  *routes(): Generator<{ filter: unknown; group: number }> {
    const authors = [this.author.pubkey];
    for (let group = 0; group * GROUP < this.#count; group++) {
      const second = this.#start + group;
      yield { group, filter: { '#t': [this.tag(group)] } };
      yield { group, filter: { authors, kinds: [1, 5], since: second, until: second } };
    }
  }

  /** Returns the events of a group that are neither replaceable nor (perhaps) deleted. */
  inGroup(group: number): NostrEvent[] {
    const deleted = new Set([...this.targets.values()].flat());
    return [...this.events.values()].filter(
      ({ id, kind, created_at }) =>
        created_at === this.#start + group && kind !== KIND_REPLACEABLE && !deleted.has(id),
    );
  }
}

/** Contents of the database that all rounds together have seen. */
interface History {
  idBySeq: Map<number, string>;
  head: number;
}

interface Row {
  seq: number;
  created_at: number;
  kind: number;
  json: StoredBody;
}

interface Posting {
  term: number;
  seq: number;
}

/**
 * Returns settings at random, so that a kill may hit the indexing, the sweeping, or a checkpoint.
 */
function settings(random: Random): Settings {
  return {
    'storage.index_batch_events': random.pick([20, 150, 2000]),
    'storage.index_delay_milliseconds': random.pick([10, 1000]),
    'storage.checkpoint_pages': random.pick([100, 4000]),
    'ingester.workers': 2,
    'query.workers': 2,
  };
}

describe('kill -9', () => {
  const seed = testSeed('stress/crash');
  const random = new Random(seed);

  it(`loses nothing that was acknowledged, ${ROUNDS} times`, {
    timeout: ROUNDS * TEST_MILLISECONDS,
  }, async () => {
    const directory = freshDirectory();
    const history: History = { idBySeq: new Map(), head: 0 };
    const kills: string[] = [];
    let wok = await WokProcess.start(settings(random), directory);
    for (let round = 0; round < ROUNDS; round++) {
      const loads = Array.from(
        { length: CLIENTS },
        (_, client) => new Load(`${seed} ${round} ${client}`, random),
      );
      const publishers = await publishUntilKilled(wok, loads, 30 + random.below(400));
      wok = await WokProcess.start(settings(random), directory);
      const client = await Client.connect(wok.url);
      for (const [i, load] of loads.entries()) await checkAnswers(client, load, publishers[i]!);
      checkDatabase(directory, history);
      await client.close();
      const acknowledged = publishers.reduce((sum, { verdicts }) => sum + verdicts.size, 0);
      kills.push(`${acknowledged}/${publishers.reduce((sum, { sent }) => sum + sent.length, 0)}`);
    }
    process.stdout.write(
      `stress/crash: acknowledged/sent by round: ${kills.join(' ')}; ${history.idBySeq.size} rows\n`,
    );
    expect(history.idBySeq.size).toBeGreaterThan(ROUNDS * 20);
  });

  it('leaves a database that opens, whenever it hits the start', async () => {
    for (let fresh = 0; fresh < 2; fresh++) {
      const directory = freshDirectory();
      for (let i = 0; i < 4; i++) {
        const starting = WokProcess.spawn({}, directory);
        await delay(100 + random.below(700));
        await starting.kill();
      }
      const wok = await WokProcess.start({}, directory);
      const client = await Client.connect(wok.url);
      const event = new Author().event({ content: String(fresh) });
      expect((await client.publish(event))[2]).toBe(true);
      checkDatabase(directory, { idBySeq: new Map(), head: 0 });
      await wok.kill();
    }
  });
});

async function publishUntilKilled(
  wok: WokProcess,
  loads: readonly Load[],
  milliseconds: number,
): Promise<Publisher[]> {
  const publishers = await Promise.all(loads.map(() => Publisher.connect(wok.url)));
  const running = publishers.map((publisher, i) =>
    publisher.publish(() => loads[i]!.next(publisher.verdicts), IN_FLIGHT),
  );
  // Enough to check, on a machine that is slow; the kill may hit anything that comes after it.
  const acknowledged = () => publishers.reduce((sum, { verdicts }) => sum + verdicts.size, 0);
  await until(() => acknowledged() > ACKNOWLEDGED_MIN, 'some acknowledgements');
  await delay(milliseconds);
  await wok.kill();
  await Promise.all(running);
  for (const { verdicts } of publishers) {
    for (const [id, { accepted, message }] of verdicts) {
      if (!accepted) throw new Error(`${id} was refused: ${message}`);
    }
  }
  return publishers;
}

/**
 * Expects acknowledged events by id, by tag, and by author and kind; the others by all of these or
 * by none.
 */
async function checkAnswers(client: Client, load: Load, { verdicts }: Publisher): Promise<void> {
  const gone = new Set<string>();
  const perhapsGone = new Set<string>();
  for (const [deletion, ids] of load.targets) {
    for (const id of ids) (verdicts.has(deletion) ? gone : perhapsGone).add(id);
  }
  const found = new Map<string, NostrEvent>();
  const ids = [...load.events.keys()];
  for (let at = 0; at < ids.length; at += 500) {
    const { events } = await client.query({ ids: ids.slice(at, at + 500), limit: 500 });
    for (const event of events) found.set(event.id, event);
  }
  for (const [id, event] of load.events) {
    const stored = found.get(id);
    if (stored) expect(JSON.stringify(stored)).toBe(canonicalJson(event));
    if (gone.has(id)) expect(stored, 'acknowledged as deleted').toBeUndefined();
    else if (verdicts.has(id) && !perhapsGone.has(id) && event.kind !== KIND_REPLACEABLE) {
      expect(stored, `acknowledged, kind ${event.kind}`).toBeDefined();
    }
  }
  for (const { filter, group } of load.routes()) {
    const { events } = await client.query(filter);
    const expected = load.inGroup(group).filter(({ id }) => found.has(id));
    expect(events.map(({ id }) => id)).toEqual(
      expect.arrayContaining(expected.map(({ id }) => id)),
    );
    for (const { id } of events) expect(found.has(id), 'found one way, not the other').toBe(true);
  }
  await checkReplaceable(client, load, verdicts);
  for (const id of [...gone].slice(0, 3)) {
    const [, , accepted, message] = await client.publish(load.events.get(id));
    expect([accepted, String(message).split(':')[0]]).toEqual([false, 'blocked']);
  }
}

/** Expects one version of every address, none older than the newest that was acknowledged. */
async function checkReplaceable(
  client: Client,
  load: Load,
  verdicts: Publisher['verdicts'],
): Promise<void> {
  const newest = new Map<string, number>();
  for (const { id, kind, tags, created_at } of load.events.values()) {
    if (kind === KIND_REPLACEABLE && verdicts.has(id)) newest.set(tags[0]![1]!, created_at);
  }
  const { events } = await client.query({
    authors: [load.author.pubkey],
    kinds: [KIND_REPLACEABLE],
  });
  const places = events.map(({ tags }) => tags[0]![1]!);
  expect(new Set(places).size).toBe(places.length);
  for (const [place, created_at] of newest) {
    const at = places.indexOf(place);
    expect(at, place).toBeGreaterThanOrEqual(0);
    expect(events[at]!.created_at).toBeGreaterThanOrEqual(created_at);
  }
}

/** Expects that log and index agree, nothing is half there, and no seq was given to two events. */
function checkDatabase(directory: string, history: History): void {
  const db = openReader(testConfig(directory).storage);
  db.exec('BEGIN');
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  const meta = db.prepare('SELECT value FROM meta WHERE name = ?').pluck();
  const indexed = meta.get('indexed_seq') as number;
  const floor = (meta.get('seq_floor') as number | undefined) ?? 0;
  const postings = termsBySeq(db);
  const hasher = new TermHasher(termKey(db));
  const wrong: string[] = [];
  const ids = new Set<string>();
  let head = floor;
  for (const row of db.prepare('SELECT * FROM event ORDER BY seq').iterate() as Iterable<Row>) {
    const json = jsonOf(row.json);
    const event = JSON.parse(json) as NostrEvent;
    const say = (what: string) => wrong.push(`seq ${row.seq}, ${what}: ${json.slice(0, 200)}`);
    if (ids.has(event.id)) say('there twice');
    if (canonicalJson(event) !== json) say('not canonical');
    if (!hashesTo(event)) say('not what its id says');
    if (event.created_at !== row.created_at || event.kind !== row.kind) say('columns are wrong');
    const before = history.idBySeq.get(row.seq);
    if (before === undefined ? row.seq <= history.head : before !== event.id) say('seq used twice');
    const terms = [TERM_ALL, ...hasher.ofEvent(event)];
    if (!sameTerms(postings.get(row.seq), row.seq <= indexed ? terms : [])) say('wrong postings');
    postings.delete(row.seq);
    ids.add(event.id);
    history.idBySeq.set(row.seq, event.id);
    head = Math.max(head, row.seq);
  }
  for (const { seq } of db.prepare('SELECT seq FROM sweep').all() as Row[]) postings.delete(seq);
  for (const seq of postings.keys()) wrong.push(`seq ${seq}, postings of an event that is gone`);
  expect(wrong.slice(0, 5)).toEqual([]);
  history.head = Math.max(history.head, head);
  db.close();
}

function termsBySeq(db: Db): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const { term, seq } of db.prepare('SELECT term, seq FROM posting').all() as Posting[]) {
    const terms = found.get(seq);
    if (terms) terms.push(term);
    else found.set(seq, [term]);
  }
  return found;
}

function sameTerms(found: readonly number[] = [], expected: readonly number[]): boolean {
  const wanted = new Set(expected);
  return found.length === wanted.size && found.every((term) => wanted.has(term));
}
