// REQ, COUNT and CLOSE messages in one ingester worker, up to the request to the query worker.

import { packFilters } from '../channel/packed-filters.ts';
import type { Config } from '../config/options.ts';
import { filterShapes } from '../metrics/slow-queries.ts';
import { SUBSCRIPTIONS } from '../policy/rates/shared-rates.ts';
import { ReadPolicy } from '../policy/read-policy.ts';
import { ACCEPT, PLUGIN_QUEUE_FULL, type ReadPolicyResult } from '../policy/result.ts';
import { closedAnswer, eventPrefix } from '../protocol/answers.ts';
import { type Filter, type FilterLimits, parseFilter } from '../protocol/filter.ts';
import type { Refusal } from '../protocol/refusal.ts';
import type { IngesterContext } from './context.ts';
import type { InOrderQueue } from './in-order-queue.ts';
import { PendingSubscriptions } from './pending-subscriptions.ts';
import { AUTH_REQUIRED } from './reply-id.ts';
import { SubscriptionMemory } from './subscription-memory.ts';
import { WaitingReads } from './waiting-reads.ts';

const NO_FILTER: Refusal = 'error: a policy of this relay returned invalid filters';

const NO_MEMORY: Refusal =
  'rate-limited: the subscriptions of this address use too much of the free subscription memory of this relay; CLOSE some first';

/** Packed bytes of filters (some 120 ids or pubkeys) that are charged as one more subscription. */
const PRICED_BYTES = 4096;

/** Client message that begins with its type. */
type Message = readonly [string, ...unknown[]];
/** Filters of a message, or the reason why they are invalid. */
type Parsed = readonly Filter[] | Refusal;

/** Handler of REQ, COUNT and CLOSE: read policies, then a request to the query worker. */
export class Requests {
  readonly #context: IngesterContext;
  /** REQs and COUNTs that wait for their policy result. */
  readonly #waiting: WaitingReads;
  readonly #pending = new PendingSubscriptions();
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

  /** Handles a REQ or a COUNT of `bytes` bytes. */
  read(connId: number, message: Message, bytes: number): void {
    const { members, connections, parts } = this.#context;
    const { source, authed } = connections.of(connId);
    const isAsked = parts.pipeline.asksReads && source === 'client';
    const isEvaluated = isAsked || this.#waiting.has(connId);
    const mayInvite = message[0] === 'REQ' && members.mayInvite(authed);
    if (!isEvaluated && !mayInvite) {
      this.#ask(connId, message, null);
      return;
    }
    const parsed = this.#parsed(message);
    const inviter = mayInvite ? this.#inviter(connId, parsed) : null;
    if (!isEvaluated && inviter === null) {
      this.#ask(connId, message, parsed);
    } else {
      this.#evaluate(connId, message, parsed, inviter, bytes);
    }
  }

  /** Drops the waiting messages of a closed connection. */
  drop(connId: number): void {
    this.#waiting.drop(connId);
    this.#pending.drop(connId);
  }

  /** Records that the relay ended a subscription. */
  ended(connId: number, subId: string, subNo: number): void {
    if (this.#context.connections.ended(connId, subId, subNo)) this.#pending.next(connId);
  }

  /** Asks the policy about a REQ or COUNT; those of one connection keep their order. */
  #evaluate(
    connId: number,
    message: Message,
    parsed: Parsed,
    inviter: string | null,
    bytes: number,
  ): void {
    const [type, subId, ...filters] = message;
    const mayWait = this.#waiting.admits(bytes);
    const from = this.#context.connections.of(connId);
    // An invalid message is rejected in its order, without a call of the policy.
    const isRead = typeof subId === 'string' && this.#fault(connId, parsed) === null;
    let evaluated = isRead
      ? this.#context.parts.pipeline.evaluateRead(
          { type: type as 'REQ' | 'COUNT', subId, filters, from },
          mayWait,
        )
      : ACCEPT;
    let invite = '';
    if (isRead && mayWait && inviter !== null) {
      evaluated = Promise.all([evaluated, this.#context.members.invite(inviter)]).then(
        ([result, event]) => {
          invite = event;
          return result;
        },
      );
    }
    if (!(evaluated instanceof Promise)) {
      if (!this.#waiting.has(connId)) {
        this.#applyResult(connId, message, parsed, evaluated);
        return;
      }
      if (!mayWait) {
        this.#waiting.cancel(connId, subId);
        this.#applyResult(connId, message, parsed, PLUGIN_QUEUE_FULL);
        return;
      }
    }
    const place = this.#waiting.take(connId, String(subId), bytes);
    const { handling } = this.#context;
    const settle = (result: ReadPolicyResult) =>
      place.settle(() => {
        this.#context.resume(handling);
        if (place.isCancelled) {
          this.#context.settle(connId);
          return;
        }
        if (invite !== '' && result.action === 'accept') {
          const frame = `${eventPrefix(String(subId))}${invite}]`;
          this.#context.query(connId, { t: 'say', connId, frame });
        }
        this.#applyResult(connId, message, parsed, result);
      });
    if (evaluated instanceof Promise) void evaluated.then(settle);
    else settle(evaluated);
  }

  /** Returns the member for which a REQ returns an invite (NIP-43), or null. */
  #inviter(connId: number, parsed: Parsed): string | null {
    if (typeof parsed === 'string') return null;
    const { parts, members, connections } = this.#context;
    const { authed } = connections.of(connId);
    return members.inviter(parsed, authed, parts.lists, parts.clock.seconds());
  }

  #applyResult(connId: number, message: Message, parsed: Parsed, result: ReadPolicyResult): void {
    const [type, subId] = message;
    if (result.action === 'accept') {
      this.#ask(connId, message, parsed);
    } else if (result.action === 'refuse') {
      if (type === 'REQ') this.refuseReq(connId, String(subId), result.message, message);
      else this.#refuseCount(connId, String(subId), result.message, message);
    } else {
      const replaced: Message = [type, subId, ...result.filters];
      const instead = this.#parsed(replaced);
      if (typeof instead !== 'string') this.#ask(connId, replaced, instead);
      else
        this.#applyResult(connId, message, parsed, {
          ...result,
          action: 'refuse',
          message: NO_FILTER,
        });
    }
  }

  /** Passes a REQ or COUNT on; `parsed` is null if its filters were not parsed before. */
  #ask(connId: number, message: Message, parsed: Parsed | null): void {
    if (message[0] === 'REQ') this.#req(connId, message, parsed);
    else this.#count(connId, message, parsed);
  }

  /** Returns the reason why this client may not use these filters, or null. */
  #fault(connId: number, parsed: Parsed): Refusal | null {
    if (typeof parsed === 'string') return parsed;
    const { source, authed } = this.#context.connections.of(connId);
    return source === 'client' ? this.#readPolicy.check(parsed, authed) : null;
  }

  /**
   * Returns the packed filters of a REQ or COUNT, or the reason why this client may not use them. A
   * client that names private kinds beside others is answered, and is sent the challenge that gives
   * access to the rest.
   */
  #packed(connId: number, parsed: Parsed): Uint8Array | Refusal {
    const fault = this.#fault(connId, parsed);
    if (fault !== null) return fault;
    const filters = parsed as readonly Filter[];
    const { source, authed, challenge } = this.#context.connections.of(connId);
    const mayAuth = source === 'client' && authed.size === 0;
    if (mayAuth && challenge === '' && this.#readPolicy.namesPrivateKinds(filters)) {
      // Sent through the query worker, so that it comes before the answer.
      const frame = this.#context.challengeFrame(connId);
      this.#context.query(connId, { t: 'say', connId, frame });
    }
    return packFilters(filters);
  }

  #req(connId: number, message: readonly unknown[], parsed: Parsed | null): void {
    const subId = this.#context.subscriptionId(connId, 'REQ', message[1]);
    if (subId === null) return;
    const filters =
      this.#context.rate(connId, SUBSCRIPTIONS)?.refusal ??
      this.#packed(connId, parsed ?? this.#parsed(message));
    if (typeof filters === 'string') {
      this.refuseReq(connId, subId, filters, message);
      return;
    }
    this.#cancelPending(connId, subId);
    this.#context.charge(connId, SUBSCRIPTIONS, Math.floor(filters.length / PRICED_BYTES));
    if (this.#open(connId, subId, filters, message)) return;
    const { handling } = this.#context;
    this.#pending.add(connId, {
      subId,
      cost: handling.cost,
      open: () => {
        this.#context.resume(handling);
        return this.#open(connId, subId, filters, message);
      },
      refuse: () => {
        this.#context.resume(handling);
        const max = this.#context.parts.config.limits.subscriptions_max;
        const why: Refusal = `rate-limited: too many subscriptions, the limit is ${max} per connection; CLOSE one first`;
        this.#refuseOpen(connId, subId, why, message);
      },
    });
  }

  /** Drops the REQ that waits under this id, replaced by a later message, without an answer. */
  #cancelPending(connId: number, subId: string): void {
    const cost = this.#pending.cancel(connId, subId);
    if (cost > 0) this.#context.answer(connId, '', cost);
  }

  /**
   * Passes a REQ on, or rejects it for want of memory; returns false if its connection has as many
   * subscriptions as allowed.
   */
  #open(connId: number, subId: string, filters: Uint8Array, message: readonly unknown[]): boolean {
    const bytes = SubscriptionMemory.costOf(filters);
    const opened = this.#context.connections.open(connId, subId, bytes);
    if (opened === 'too-many') return false;
    if (opened === 'no-memory') this.#refuseOpen(connId, subId, NO_MEMORY, message);
    else {
      this.#setQuotaOwner(connId);
      const { handling } = this.#context;
      this.#context.query(connId, { t: 'req', connId, subId, ...opened, filters, ...handling });
    }
    return true;
  }

  /** Rejects a REQ for lack of a free subscription or of memory. */
  #refuseOpen(connId: number, subId: string, why: Refusal, message: readonly unknown[]): void {
    this.#context.meter.tooManySubscriptions();
    this.refuseReq(connId, subId, why, message);
  }

  /** Tells the query worker the quota owner, before the first query and after a change. */
  #setQuotaOwner(connId: number): void {
    const connection = this.#context.connections.of(connId);
    const { client, address: name } = connection;
    if (connection.introduced === client) return;
    connection.introduced = client;
    const [address, network] = [client?.address.tag ?? 0, client?.network.tag ?? 0];
    this.#context.query(connId, { t: 'client', connId, name, address, network });
  }

  /**
   * Rejects a REQ. A rejected REQ also ends the subscription with the same id; then the query
   * worker answers, so that no event of the subscription comes after its CLOSED.
   */
  refuseReq(connId: number, subId: string, why: Refusal, message: readonly unknown[] = []): void {
    this.#note('REQ', connId, why, message);
    this.#context.meter.refused('REQ', why);
    this.#cancelPending(connId, subId);
    const subNo = this.#context.connections.close(connId, subId);
    if (subNo === 0) {
      if (why.startsWith(AUTH_REQUIRED)) this.#context.challenge(connId);
      this.#context.answer(connId, closedAnswer(subId, why));
      return;
    }
    // The challenge takes the same channel as the CLOSED, so that it comes first.
    const asks = why.startsWith(AUTH_REQUIRED);
    const first = asks ? this.#context.challengeFrame(connId) : '';
    const { cost } = this.#context;
    this.#context.query(connId, { t: 'refuse', connId, subNo, subId, why, first, cost });
    this.#pending.next(connId);
  }

  #count(connId: number, message: readonly unknown[], parsed: Parsed | null): void {
    const queryId = this.#context.subscriptionId(connId, 'COUNT', message[1]);
    if (queryId === null) return;
    const filters = this.#context.parts.config.query.count_enabled
      ? (this.#context.rate(connId, SUBSCRIPTIONS)?.refusal ??
        this.#packed(connId, parsed ?? this.#parsed(message)))
      : 'unsupported: this relay does not offer COUNT (NIP-45)';
    if (typeof filters === 'string') this.#refuseCount(connId, queryId, filters, message);
    else {
      this.#setQuotaOwner(connId);
      this.#context.query(connId, {
        t: 'count',
        connId,
        queryId,
        filters,
        ...this.#context.handling,
      });
    }
  }

  #refuseCount(connId: number, queryId: string, why: Refusal, message: readonly unknown[]): void {
    this.#note('COUNT', connId, why, message);
    if (why.startsWith(AUTH_REQUIRED)) this.#context.challenge(connId);
    this.#context.meter.refused('COUNT', why);
    this.#context.answer(connId, closedAnswer(queryId, why));
  }

  /** Records a rejected read with the shapes of its filters, but no address, key or value. */
  #note(type: 'REQ' | 'COUNT', connId: number, why: Refusal, message: readonly unknown[]): void {
    this.#context.parts.refusedReads?.note(type, connId, 'refused', why, () => {
      const filters = this.#parsed(message);
      return typeof filters === 'string' ? '' : filterShapes(filters);
    });
  }

  /** Handles a CLOSE. */
  close(connId: number, value: unknown): void {
    this.#waiting.cancel(connId, value);
    if (typeof value !== 'string') {
      this.#context.notice(
        connId,
        'invalid: CLOSE needs a subscription id, a string, as its second element',
      );
      return;
    }
    this.#cancelPending(connId, value);
    const subNo = this.#context.connections.close(connId, value);
    this.#context.settle(connId);
    if (subNo === 0) return;
    this.#context.query(connId, { t: 'close', connId, subNo });
    this.#pending.next(connId);
  }

  #parsed(message: readonly unknown[]): Parsed {
    const max = this.#context.parts.config.limits.filters_max;
    if (message.length < 3) return 'invalid: at least one filter is needed';
    if (message.length - 2 > max) return `error: too many filters, the limit is ${max}`;
    const filters: Filter[] = [];
    for (let i = 2; i < message.length; i++) {
      const filter = parseFilter(message[i], this.#filterLimits);
      if (typeof filter === 'string') return filter;
      filters.push(filter);
    }
    return filters;
  }
}

/** Returns the bounds of the filters of a client. */
export function filterLimits({ limits }: Config): FilterLimits {
  return {
    filterValuesMax: limits.filter_values_max,
    filterTagsMax: limits.filter_tags_max,
  };
}
