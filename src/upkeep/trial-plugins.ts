import type { Config } from '../config/options.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { Channel, channelPair } from '../mailbox/channel.ts';
import { ACCEPT, type JudgedWrite, type Judgement } from '../policy/judge.ts';
import { PluginLink } from '../policy/plugins/link.ts';
import { RollCall } from '../policy/plugins/roll-call.ts';
import { PluginRoom } from '../policy/plugins/room.ts';

const LINK_BYTES = 64 * 1024;

/**
 * The plugins of a configuration in this process, asked as a relay asks them: the same room, the same
 * time-outs, the same circuit breaker. They are told that an event was stored before (`Stored`).
 */
export class TrialPlugins {
  readonly #room: PluginRoom;
  readonly #link: PluginLink;
  readonly #ends: Channel[];
  /** Answers that were none, by what they were: faults of processes, and waits that took too long. */
  readonly failures = new Map<string, number>();

  constructor(config: Config, clock: Clock, log: Log) {
    const meter = {
      failed: (why: string) => {
        this.failures.set(why, (this.failures.get(why) ?? 0) + 1);
      },
      circuitsOpen: () => {},
      answered: () => {},
    };
    this.#room = new PluginRoom(config, log, clock, meter, RollCall.share());
    this.#link = new PluginLink(config, 'Stored');
    this.#ends = channelPair(LINK_BYTES, LINK_BYTES).map((end) => new Channel(end));
    const [ingester, plugins] = this.#ends as [Channel, Channel];
    this.#room.attach('ingester', 0, plugins);
    this.#link.attach(ingester);
  }

  judgeWrite(write: JudgedWrite): Judgement | Promise<Judgement> {
    return this.#link.covers(write.event.kind) ? this.#link.judgeWrite(write) : ACCEPT;
  }

  /** Ends the programs, with all that they started. */
  async stop(): Promise<void> {
    await this.#room.stop();
    for (const end of this.#ends) end.close();
  }
}
