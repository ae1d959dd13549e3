// NEG-OPEN, NEG-MSG and NEG-CLOSE messages (NIP-77) in one ingester worker, up to the request to
// the sync worker.

import { packFilters } from '../channel/packed-filters.ts';
import type { Config } from '../config/options.ts';
import { SUBSCRIPTIONS } from '../policy/rates/shared-rates.ts';
import { ReadPolicy } from '../policy/read-policy.ts';
import { PLUGIN_QUEUE_FULL, type ReadPolicyResult } from '../policy/result.ts';
import { negErrorAnswer } from '../protocol/answers.ts';
import { type Filter, type FilterLimits, parseFilter } from '../protocol/filter.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { IngesterContext } from './context.ts';
import type { InOrderQueue } from './in-order-queue.ts';
import { AUTH_REQUIRED } from './reply-id.ts';
import { filterLimits } from './requests.ts';
import { WaitingReads } from './waiting-reads.ts';

const UNSUPPORTED: Refusal = 'unsupported: this relay does not offer negentropy (NIP-77)';
const NO_HEX: Refusal = 'invalid: a negentropy message must be a string of hex digits';
const ONE_FILTER: Refusal = 'error: a policy of this relay returned invalid filters';
/** Checked NEG-OPEN. */
interface Opening {
  readonly connId: number;
  readonly subId: string;
  readonly filter: Filter;
  readonly message: Uint8Array;
}

/**
 * Handler of negentropy messages. A client compares only events that a REQ may send it: the same
 * read policies and plugins decide about NEG-OPEN, which plugins see as a REQ of its filter. Every
 * refusal is a NEG-ERR with the id.
 */
export class Negentropy {
  readonly #context: IngesterContext;
  /** NEG-OPENs that wait for their policy result. */
  readonly #waiting: WaitingReads;
  #filterLimits: FilterLimits;
  #readPolicy: ReadPolicy;

  constructor(context: IngesterContext, config: Config, waiting: InOrderQueue) {
    this.#context = context;
    this.#waiting = new WaitingReads(waiting);
    this.#filterLimits = filterLimits(config);
    this.#readPolicy = new ReadPolicy(config, context.parts.lists);
  }

  reconfigure(config: Config): void {
    this.#filterLimits = filterLimits(config);
    this.#readPolicy = new ReadPolicy(config, this.#context.parts.lists);
  }

  /** Handles a NEG-OPEN of `bytes` bytes. */
  open(connId: number, message: readonly unknown[], bytes: number): void {
    const subId = this.#context.subscriptionId(connId, 'NEG-OPEN', message[1]);
    if (subId === null) return;
    this.#waiting.cancel(connId, subId);
    const opening = this.#checked(connId, subId, message);
    if (typeof opening === 'string') this.#refuse('NEG-OPEN', connId, subId, opening);
    else if (!this.#context.parts.pipeline.asksReads) this.#pass(opening);
    else this.#evaluate(opening, message, bytes);
  }

  /** Handles a NEG-MSG. */
  message(connId: number, message: readonly unknown[]): void {
    const subId = this.#context.subscriptionId(connId, 'NEG-MSG', message[1]);
    if (subId === null) return;
    const bytes = this.#isEnabled ? bytesOf(message[2]) : UNSUPPORTED;
    if (typeof bytes === 'string') {
      this.#refuse('NEG-MSG', connId, subId, bytes);
      return;
    }
    const { handling } = this.#context;
    this.#context.sync({ t: 'message', connId, subId, message: bytes, ...handling });
  }

  /** Handles a NEG-CLOSE, which has no answer. */
  close(connId: number, value: unknown): void {
    if (typeof value !== 'string') {
      this.#context.notice(
        connId,
        'invalid: NEG-CLOSE needs an id, a string, as its second element',
      );
      return;
    }
    this.#waiting.cancel(connId, value);
    if (this.#context.connections.of(connId).syncs) {
      this.#context.sync({ t: 'close', connId, subId: value });
    }
    this.#context.settle(connId);
  }

  /** Drops the waiting messages of a closed connection. */
  drop(connId: number): void {
    this.#waiting.drop(connId);
  }

  get #isEnabled(): boolean {
    return this.#context.parts.config.negentropy.enabled;
  }

  #checked(connId: number, subId: string, message: readonly unknown[]): Opening | Refusal {
    if (!this.#isEnabled) return UNSUPPORTED;
    const tooMany = this.#context.rate(connId, SUBSCRIPTIONS);
    if (tooMany !== null) return tooMany.refusal;
    if (message.length < 4) return 'invalid: NEG-OPEN needs an id, a filter and a message';
    const filter = parseFilter(message[2], this.#filterLimits);
    if (typeof filter === 'string') return filter;
    const bytes = bytesOf(message[3]);
    if (typeof bytes === 'string') return bytes;
    const { authed } = this.#context.connections.of(connId);
    const refused = this.#readPolicy.check([filter], authed);
    return refused ?? { connId, subId, filter, message: bytes };
  }

  /** Asks the policy about the filter; the NEG-OPENs of a connection keep their order. */
  #evaluate(opening: Opening, message: readonly unknown[], bytes: number): void {
    const { connId, subId } = opening;
    const { pipeline } = this.#context.parts;
    const from = this.#context.connections.of(connId);
    const mayWait = this.#waiting.admits(bytes);
    const read = { type: 'REQ', subId, filters: [message[2]], from } as const;
    const evaluated = mayWait ? pipeline.evaluateRead(read, mayWait) : PLUGIN_QUEUE_FULL;
    if (!(evaluated instanceof Promise)) {
      this.#applyResult(opening, evaluated);
      return;
    }
    const place = this.#waiting.take(connId, subId, bytes);
    const { handling } = this.#context;
    void evaluated.then((result) =>
      place.settle(() => {
        this.#context.resume(handling);
        if (place.isCancelled) this.#context.settle(connId);
        else this.#applyResult(opening, result);
      }),
    );
  }

  #applyResult(opening: Opening, result: ReadPolicyResult): void {
    const { connId, subId } = opening;
    if (result.action === 'accept') this.#pass(opening);
    else if (result.action === 'refuse') this.#refuse('NEG-OPEN', connId, subId, result.message);
    else {
      const [only, ...more] = result.filters;
      const filter = more.length === 0 ? parseFilter(only, this.#filterLimits) : ONE_FILTER;
      if (typeof filter === 'string') this.#refuse('NEG-OPEN', connId, subId, ONE_FILTER);
      else this.#pass({ ...opening, filter });
    }
  }

  #pass({ connId, subId, filter, message }: Opening): void {
    const { handling, connections } = this.#context;
    const connection = connections.of(connId);
    const { authed, challenge, client, address: name } = connection;
    if (authed.size === 0 && challenge === '' && this.#readPolicy.namesPrivateKinds([filter])) {
      this.#context.challenge(connId);
    }
    connection.syncs = true;
    this.#context.sync({
      t: 'open',
      connId,
      subId,
      filter: packFilters([filter]).subarray(FILTER_AT),
      message,
      readers: [...authed],
      name,
      address: client?.address.tag ?? 0,
      network: client?.network.tag ?? 0,
      ...handling,
    });
  }

  #refuse(of: 'NEG-OPEN' | 'NEG-MSG', connId: number, subId: string, why: Refusal): void {
    if (why.startsWith(AUTH_REQUIRED)) this.#context.challenge(connId);
    this.#context.meter.refused(of, why);
    // A refused NEG-OPEN ends the session with the same id.
    if (of === 'NEG-OPEN' && this.#context.connections.of(connId).syncs) {
      this.#context.sync({ t: 'close', connId, subId });
    }
    this.#context.answer(connId, negErrorAnswer(subId, why));
  }
}

/** Bytes of the number of filters, with which a pack begins. */
const FILTER_AT = 4;

/** Returns the bytes of a message in hex; upper case is not refused. */
function bytesOf(hex: unknown): Uint8Array | Refusal {
  if (typeof hex !== 'string' || hex === '') return NO_HEX;
  // It ends at the first character that is no hex digit.
  const bytes = Buffer.from(hex, 'hex');
  return bytes.length * 2 === hex.length ? bytes : NO_HEX;
}
