// Plugin that decides about the events of a peer, in strfry's protocol.

import type { Config } from '../config/options.ts';
import { systemClock } from '../lib/clock.ts';
import { ERRORS_ON_STANDARD_ERROR } from '../log/standard-error.ts';
import type { Gate } from '../peers/live-link.ts';
import type { NostrEvent } from '../protocol/event.ts';
import { TrialPlugins } from './trial-plugins.ts';

const NO_KEYS: ReadonlySet<string> = new Set();

/** Plugin of a peer. Events that it rejects are dropped, and neither relay gets an answer. */
export class PeerGate {
  readonly #plugins: TrialPlugins;

  /** @param command shell command of the plugin. */
  constructor(config: Config, command: string) {
    const plugins = { ...config.plugins, commands: [command] };
    this.#plugins = new TrialPlugins(
      { ...config, plugins },
      systemClock,
      { ...ERRORS_ON_STANDARD_ERROR, warn: ERRORS_ON_STANDARD_ERROR.error },
      'Stream',
    );
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
