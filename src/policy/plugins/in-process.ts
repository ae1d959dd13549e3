// Plugins of a program or thread that is not an ingester: a policy trial, or a peer. The plugin
// host and the link to it run in the same thread, joined by a channel pair.

import { Channel, channelPair } from '../../channel/channel.ts';
import type { Config } from '../../config/options.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../log/log.ts';
import { ACCEPT, type PolicyResult, type PolicyWrite } from '../result.ts';
import { ChildPidTable } from './child-pids.ts';
import { PluginHost } from './host.ts';
import { PluginLink } from './link.ts';
import type { SourceType } from './protocol.ts';

const LINK_BYTES = 64 * 1024;

/**
 * Plugins of a configuration, asked as a relay asks them: with the same plugin host, time-outs and
 * circuit breaker.
 */
export class InProcessPlugins {
  readonly #host: PluginHost;
  readonly #link: PluginLink;
  readonly #ends: Channel[];
  /** Number of failed answers by cause: faults of processes, and time-outs. */
  readonly failures = new Map<string, number>();

  /** @param source source type in the questions to plugins (strfry's `sourceType`). */
  constructor(config: Config, clock: Clock, log: Log, source: SourceType = 'Stored') {
    const meter = {
      failed: (why: string) => {
        this.failures.set(why, (this.failures.get(why) ?? 0) + 1);
      },
      circuitsOpen: () => {},
      answered: () => {},
    };
    this.#host = new PluginHost(config, log, clock, meter, ChildPidTable.share());
    this.#link = new PluginLink(config, source);
    this.#ends = channelPair(LINK_BYTES, LINK_BYTES).map((end) => new Channel(end));
    const [ingester, plugins] = this.#ends as [Channel, Channel];
    this.#host.attach('ingester', 0, plugins);
    this.#link.attach(ingester);
  }

  evaluateWrite(write: PolicyWrite): PolicyResult | Promise<PolicyResult> {
    return this.#link.covers(write.event.kind) ? this.#link.evaluateWrite(write) : ACCEPT;
  }

  /** Terminates the plugins and the processes that they started. */
  async stop(): Promise<void> {
    await this.#host.stop();
    for (const end of this.#ends) end.close();
  }
}
