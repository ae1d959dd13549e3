import type { Config } from '../config/options.ts';
import type { Channel } from '../mailbox/channel.ts';
import {
  ACCEPT,
  type JudgedRead,
  type JudgedWrite,
  type Judgement,
  type ReadJudgement,
  VERDICT_QUEUE_FULL,
} from './judge.ts';
import { PluginLink } from './plugins/link.ts';

/**
 * What is asked about an event last, behind the signature check: the only part of the policy that may
 * take its time. Each ingester lane has its own.
 */
export class Judges {
  /** Whether anybody wants to be asked about events, and about queries; looked at before asking. */
  asksWrites = false;
  asksReads = false;
  readonly #plugins: PluginLink;

  constructor(config: Config) {
    this.#plugins = new PluginLink(config);
    this.reconfigure(config);
  }

  reconfigure(config: Config): void {
    this.#plugins.reconfigure(config);
    this.asksWrites = this.#plugins.asksWrites;
    this.asksReads = this.#plugins.asksReads;
  }

  /** The link to the plugins' room; a new one when the room was started again. */
  attachPlugins(channel: Channel): void {
    this.#plugins.attach(channel);
  }

  /**
   * The judgement, or the promise of it, which never rejects. Without `mayWait` there is no room for
   * one that waits, and what would have to is refused at once.
   */
  judgeWrite(write: JudgedWrite, mayWait: boolean): Judgement | Promise<Judgement> {
    if (!this.#plugins.covers(write.event.kind)) return ACCEPT;
    return mayWait ? this.#plugins.judgeWrite(write) : VERDICT_QUEUE_FULL;
  }

  /** The same for a REQ or COUNT. */
  judgeRead(read: JudgedRead, mayWait: boolean): ReadJudgement | Promise<ReadJudgement> {
    if (!this.#plugins.asksReads) return ACCEPT;
    return mayWait ? this.#plugins.judgeRead(read) : VERDICT_QUEUE_FULL;
  }
}
