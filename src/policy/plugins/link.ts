// Ingester side of the link to the plugin host: sends questions and matches the responses.

import type { Channel } from '../../channel/channel.ts';
import { RecordOutbox } from '../../channel/outbox.ts';
import { RecordReader } from '../../channel/records.ts';
import type { Config } from '../../config/options.ts';
import { parsePluginEntry } from '../../config/plugin-entry.ts';
import {
  ASK_COUNT,
  ASK_EVENT,
  ASK_REQ,
  PLUGIN_ACCEPT,
  PLUGIN_BUSY,
  PLUGIN_FAILED,
  PLUGIN_FAILED_OPEN,
  PLUGIN_REJECT,
  PLUGIN_REPLACE,
  PLUGIN_SHADOW,
  type PluginAsk,
  type PluginResponse,
  readPluginResponse,
  writePluginAsk,
} from '../../messages/ingester-plugins.ts';
import { KindSet } from '../../protocol/kind-set.ts';
import { asRefusal, type Refusal } from '../../protocol/refusal.ts';
import {
  ACCEPT,
  type PolicyRead,
  type PolicyResult,
  type PolicyWrite,
  type ReadPolicyResult,
  type Sender,
} from '../result.ts';
import { type SourceType, sourceTypes } from './protocol.ts';

const FAILED: Refusal = 'error: a policy plugin of this relay does not respond; try again later';
const BUSY: Refusal = 'rate-limited: a policy plugin of this relay is overloaded; try again';

const TICKET_MAX = 0xffff_ffff;

const IP4 = sourceTypes.indexOf('IP4');
const IP6 = sourceTypes.indexOf('IP6');
const STREAM = sourceTypes.indexOf('Stream');
const SYNC = sourceTypes.indexOf('Sync');

/** Link from one ingester worker to the plugin host. Questions and responses carry a ticket. */
export class PluginLink {
  asksWrites = false;
  asksReads = false;
  /** Kinds that any plugin evaluates; empty: all. */
  #kinds = new KindSet([]);
  #outbox: RecordOutbox | null = null;
  #ticket = 0;
  readonly #source: SourceType | null;
  readonly #pending = new Map<number, (response: PluginResponse) => void>();

  /**
   * Takes `source`, the source type that plugins are told; by default it follows from the address.
   */
  constructor(config: Config, source: SourceType | null = null) {
    this.#source = source;
    this.reconfigure(config);
  }

  reconfigure({ plugins }: Config): void {
    const entries = plugins.commands.map((text) => parsePluginEntry(text)!);
    const writers = entries.filter(({ asks }) => asks !== 'reads');
    this.asksWrites = writers.length > 0;
    this.asksReads = entries.some(({ asks }) => asks !== 'writes');
    const all = writers.some(({ kinds }) => kinds.length === 0);
    this.#kinds = new KindSet(all ? [] : writers.flatMap(({ kinds }) => kinds));
  }

  attach(channel: Channel): void {
    this.#outbox = new RecordOutbox(channel);
    channel.receive((batch) => {
      const reader = new RecordReader(batch);
      while (reader.more) this.#settle(readPluginResponse(reader));
    });
    // Questions to the previous plugin host will not be answered.
    for (const ticket of [...this.#pending.keys()]) this.#settle(failed(ticket));
  }

  /** Returns true if any plugin evaluates events of this kind. */
  covers(kind: number): boolean {
    return this.asksWrites && (this.#kinds.isEmpty || this.#kinds.has(kind));
  }

  async evaluateWrite({ event, json, from }: PolicyWrite): Promise<PolicyResult> {
    const response = await this.#ask(ASK_EVENT, event.kind, from, event.pubkey, event.id, json);
    switch (response.outcome) {
      case PLUGIN_ACCEPT:
      case PLUGIN_FAILED_OPEN:
        return ACCEPT;
      case PLUGIN_SHADOW:
        return { action: 'shadow', rule: 'plugin', by: response.by, message: response.message };
      default:
        return refusal(response);
    }
  }

  async evaluateRead({ type, subId, filters, from }: PolicyRead): Promise<ReadPolicyResult> {
    const asked = type === 'REQ' ? ASK_REQ : ASK_COUNT;
    const response = await this.#ask(
      asked,
      0,
      from,
      '',
      subId,
      Buffer.from(JSON.stringify(filters)),
    );
    switch (response.outcome) {
      case PLUGIN_ACCEPT:
      case PLUGIN_FAILED_OPEN:
        return ACCEPT;
      case PLUGIN_REPLACE:
        return {
          action: 'replace',
          rule: 'plugin',
          by: response.by,
          filters: JSON.parse(response.filters) as unknown[],
        };
      default:
        return refusal(response);
    }
  }

  #ask(
    type: number,
    kind: number,
    from: Sender,
    pubkey: string,
    subject: string,
    body: Buffer,
  ): Promise<PluginResponse> {
    const ticket = this.#nextTicket();
    const outbox = this.#outbox;
    if (outbox === null) return Promise.resolve(failed(ticket));
    const ask: PluginAsk = {
      ticket,
      type,
      connId: from.connId,
      kind,
      sourceType: this.#sourceType(from),
      sourceInfo: from.ip,
      authed: authedAs(from.authed, pubkey),
      subject,
      body,
    };
    writePluginAsk(outbox.records, ask);
    outbox.touch();
    return new Promise((done) => {
      this.#pending.set(ticket, done);
    });
  }

  #sourceType({ ip, source }: Sender): number {
    if (this.#source !== null) return sourceTypes.indexOf(this.#source);
    if (source === 'sync') return SYNC;
    if (source === 'stream') return STREAM;
    return ip.includes(':') ? IP6 : IP4;
  }

  #nextTicket(): number {
    do {
      this.#ticket = this.#ticket === TICKET_MAX ? 1 : this.#ticket + 1;
    } while (this.#pending.has(this.#ticket));
    return this.#ticket;
  }

  #settle(response: PluginResponse): void {
    const done = this.#pending.get(response.ticket);
    this.#pending.delete(response.ticket);
    done?.(response);
  }
}

/** Returns the author's key if the connection has authenticated it, else the first, or ''. */
function authedAs(authed: ReadonlySet<string>, pubkey: string): string {
  if (authed.size === 0) return '';
  return authed.has(pubkey) ? pubkey : authed.values().next().value!;
}

function failed(ticket: number): PluginResponse {
  return { ticket, outcome: PLUGIN_FAILED, by: '', message: '', filters: '' };
}

function refusal({ outcome, by, message }: PluginResponse) {
  const text =
    outcome === PLUGIN_REJECT ? asRefusal(message) : outcome === PLUGIN_BUSY ? BUSY : FAILED;
  return { action: 'refuse', rule: 'plugin', by, message: text } as const;
}
