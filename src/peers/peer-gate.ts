// Plugin that decides about the events of a peer, in strfry's protocol.

import type { Config } from '../config/options.ts';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../log/log.ts';
import { InProcessPlugins } from '../policy/plugins/in-process.ts';
import type { NostrEvent } from '../protocol/event.ts';
import type { Gate } from './live-link.ts';

const NO_KEYS: ReadonlySet<string> = new Set();

/** Plugin of a peer. Events that it rejects are dropped, and neither relay gets an answer. */
export class PeerGate {
  readonly #plugins: InProcessPlugins;

  /** @param command shell command of the plugin, or an entry of `plugins.commands`. */
  constructor(config: Config, command: string, log: Log) {
    const plugins = { ...config.plugins, commands: [command] };
    this.#plugins = new InProcessPlugins({ ...config, plugins }, systemClock, log, 'Stream');
  }

  /** Returns the gate for the events of one relay. */
  of(url: string): Gate {
    return async (event: NostrEvent, json: string) => {
      const from = { connId: 0, source: 'stream', ip: url, authed: NO_KEYS } as const;
      const result = await this.#plugins.evaluateWrite({ event, json: Buffer.from(json), from });
      return result.action === 'accept';
    };
  }

  /** Ends the process of the plugin. */
  stop(): Promise<void> {
    return this.#plugins.stop();
  }
}
