// Policy pipeline that runs after the signature check: spam score, policy modules, plugins. Each
// ingester worker has its own.

import type { Channel } from '../channel/channel.ts';
import type { Config } from '../config/options.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { PluginLink } from './plugins/link.ts';
import type { PolicyModules } from './plugins/modules.ts';
import {
  ACCEPT,
  PLUGIN_QUEUE_FULL,
  type PolicyRead,
  type PolicyResult,
  type PolicyWrite,
  type ReadPolicyResult,
  type Sender,
} from './result.ts';
import type { SpamFilter } from './spam/spam-filter.ts';

/** Stage of the pipeline that evaluates one event. */
type Stage = (write: PolicyWrite, mayWait: boolean) => PolicyResult | Promise<PolicyResult>;

/**
 * Policy pipeline of one ingester worker. It runs last, after the signature check, and is the only
 * part of the policy that may be asynchronous. The stages run in order; the first that does not
 * accept decides.
 */
export class PolicyPipeline {
  /** True if any stage evaluates events; callers check this and the next two before they ask. */
  asksWrites = false;
  asksReads = false;
  asksConnections = false;
  readonly #spam: SpamFilter;
  readonly #modules: PolicyModules;
  readonly #plugins: PluginLink;
  #stages: readonly Stage[] = [];

  constructor(config: Config, spam: SpamFilter, modules: PolicyModules) {
    this.#spam = spam;
    this.#modules = modules;
    this.#plugins = new PluginLink(config);
    this.reconfigure(config);
  }

  reconfigure(config: Config): void {
    this.#spam.reconfigure(config);
    this.#modules.reconfigure(config);
    this.#plugins.reconfigure(config);
    const stages: Stage[] = [];
    if (this.#spam.isOn) stages.push((write) => this.#spam.evaluateWrite(write));
    if (this.#modules.asksWrites) stages.push((write) => this.#modules.evaluateWrite(write));
    if (this.#plugins.asksWrites) {
      stages.push((write, mayWait) => {
        if (!this.#plugins.covers(write.event.kind)) return ACCEPT;
        return mayWait ? this.#plugins.evaluateWrite(write) : PLUGIN_QUEUE_FULL;
      });
    }
    this.#stages = stages;
    this.asksWrites = stages.length > 0;
    this.asksReads = this.#modules.asksReads || this.#plugins.asksReads;
    this.asksConnections = this.#modules.asksConnections;
  }

  /** Attaches the channel to the plugin host; called again after the host was restarted. */
  attachPlugins(channel: Channel): void {
    this.#plugins.attach(channel);
  }

  stop(): void {
    this.#modules.stop();
  }

  /**
   * Returns the policy result, or a promise of it that never rejects. Without `mayWait` the bound
   * on waiting events is reached: an event that would have to wait is refused.
   */
  evaluateWrite(write: PolicyWrite, mayWait: boolean): PolicyResult | Promise<PolicyResult> {
    const evaluated = this.#from(0, write, mayWait);
    // The module has already begun; its answer is ignored.
    return evaluated instanceof Promise && !mayWait ? PLUGIN_QUEUE_FULL : evaluated;
  }

  #from(first: number, write: PolicyWrite, mayWait: boolean): PolicyResult | Promise<PolicyResult> {
    const stages = this.#stages;
    for (let i = first; i < stages.length; i++) {
      const evaluated = stages[i]!(write, mayWait);
      if (evaluated instanceof Promise) {
        if (i + 1 === stages.length || !mayWait) return evaluated;
        // The JSON buffer is reused meanwhile.
        const kept = { ...write, json: Buffer.from(write.json) };
        return evaluated.then((one) =>
          one.action === 'accept' ? this.#from(i + 1, kept, true) : one,
        );
      }
      if (evaluated.action !== 'accept') return evaluated;
    }
    return ACCEPT;
  }

  /** Returns the policy result of a REQ or COUNT, under the same rules as `evaluateWrite`. */
  evaluateRead(read: PolicyRead, mayWait: boolean): ReadPolicyResult | Promise<ReadPolicyResult> {
    const evaluated = this.#modules.asksReads ? this.#modules.evaluateRead(read) : ACCEPT;
    if (evaluated instanceof Promise) {
      return mayWait ? evaluated.then((one) => this.#askPlugins(read, one)) : PLUGIN_QUEUE_FULL;
    }
    if (evaluated.action === 'refuse' || !this.#plugins.asksReads) return evaluated;
    return mayWait ? this.#askPlugins(read, evaluated) : PLUGIN_QUEUE_FULL;
  }

  async #askPlugins(read: PolicyRead, former: ReadPolicyResult): Promise<ReadPolicyResult> {
    if (former.action === 'refuse' || !this.#plugins.asksReads) return former;
    const asked = former.action === 'replace' ? { ...read, filters: former.filters } : read;
    const evaluated = await this.#plugins.evaluateRead(asked);
    return evaluated.action === 'accept' ? former : evaluated;
  }

  /** Returns the reason to refuse a connection, or null. */
  evaluateConnection(from: Sender): Refusal | null | Promise<Refusal | null> {
    return this.#modules.evaluateConnection(from);
  }
}
