// Spam stage of the policy pipeline; each ingester worker has its own.

import type { Config } from '../../config/options.ts';
import type { SpamPart } from '../../config/spam-signals.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../log/log.ts';
import { KindSet } from '../../protocol/kind-set.ts';
import { isEphemeral } from '../../protocol/kinds.ts';
import { ACCEPT, type PolicyResult, type PolicyWrite } from '../result.ts';
import type { Keys } from './author-cache.ts';
import { RecentTexts } from './recent-texts.ts';
import { type Score, Scorer } from './score.ts';
import { WordList } from './word-list.ts';

const LOG_LINES_MAX = 10;
const LOG_MILLISECONDS = 1_000;

/** Outcomes of the spam stage for an event. */
type SpamResult = 'pass' | 'quarantine' | 'shadow' | 'reject';

/** Counters of the spam stage. */
export interface SpamMeter {
  result(result: SpamResult): void;
  part(part: SpamPart): void;
}

interface SpamParts {
  config: Config;
  /** Shared memory of `RecentTexts`, the same for all workers. */
  texts: SharedArrayBuffer;
  keys: Keys;
  clock: Clock;
  log: Log;
  meter: SpamMeter;
}

/**
 * Spam stage of an ingester worker. It scores events and applies the thresholds; in the mode
 * `observe` it only logs what it would do.
 */
export class SpamFilter {
  readonly #parts: SpamParts;
  readonly #keys: Keys;
  #kinds = new KindSet([]);
  #trusted: ReadonlySet<string> = new Set();
  #scorer: Scorer | null = null;
  #options: Config['spam'];
  /** Lowest threshold: fewer points have no consequence. */
  #lowest = 0;
  #wordsFile = '';
  #words: WordList | null = null;
  #logLines = 0;
  #logWindow = 0;

  constructor(parts: SpamParts) {
    this.#parts = parts;
    this.#options = parts.config.spam;
    this.#keys = parts.keys;
    this.reconfigure(parts.config);
  }

  reconfigure({ spam, moderation }: Config): void {
    this.#options = spam;
    this.#kinds = new KindSet(spam.kinds);
    this.#trusted = new Set(moderation.trusted_reporters);
    if (spam.words_file !== this.#wordsFile || (spam.mode !== 'off' && this.#words === null)) {
      this.#wordsFile = spam.words_file;
      this.#words =
        spam.words_file === '' || spam.mode === 'off'
          ? null
          : new WordList(spam.words_file, (text) => this.#parts.log.warn(`spam words: ${text}`));
    }
    const texts = new RecentTexts(this.#parts.texts);
    this.#scorer = spam.mode === 'off' ? null : new Scorer(spam, texts, this.#keys, this.#words);
    const thresholds = [spam.quarantine_points, spam.shadow_points, spam.reject_points];
    this.#lowest = Math.min(...thresholds.map((points) => points || Number.POSITIVE_INFINITY));
  }

  get isOn(): boolean {
    return this.#scorer !== null;
  }

  evaluateWrite({ event }: PolicyWrite): PolicyResult {
    if (this.#scorer === null || !this.#kinds.has(event.kind)) return ACCEPT;
    if (this.#trusted.has(event.pubkey)) return ACCEPT;
    const score = this.#scorer.score(event, this.#parts.clock.seconds());
    const { meter } = this.#parts;
    for (const { name } of score.parts) meter.part(name);
    if (score.points < this.#lowest) {
      meter.result('pass');
      return ACCEPT;
    }
    const result = this.#result(score.points, isEphemeral(event.kind));
    meter.result(result);
    this.#say(event.id, event.pubkey, score, result);
    if (this.#options.mode === 'observe' || result === 'pass') return ACCEPT;
    const by = score.parts.map(({ name }) => name).join('+');
    const why = score.parts.map((part) => part.why).join(', ');
    if (result === 'quarantine') {
      return { action: 'hold', rule: 'spam', by, why: `${score.points} points: ${why}` };
    }
    if (result === 'shadow') return { action: 'shadow', rule: 'spam', by, message: '' };
    const message = `blocked: this looks like spam (${why})` as const;
    return { action: 'refuse', rule: 'spam', by, message };
  }

  /**
   * Returns the outcome of the highest threshold reached. Ephemeral events are not stored, so they
   * are rejected instead of quarantined.
   */
  #result(points: number, isEphemeral: boolean): SpamResult {
    const { reject_points, shadow_points, quarantine_points } = this.#options;
    let result: SpamResult = 'pass';
    let reached = 0;
    const reaches = (threshold: number, what: SpamResult) => {
      if (threshold === 0 || points < threshold || threshold < reached) return;
      reached = threshold;
      result = what;
    };
    reaches(quarantine_points, isEphemeral ? 'reject' : 'quarantine');
    reaches(shadow_points, 'shadow');
    reaches(reject_points, 'reject');
    return result;
  }

  /** Logs the first few events of a second, so that a wave of spam does not flood the log. */
  #say(id: string, pubkey: string, { points, parts }: Score, result: SpamResult): void {
    const window = Math.floor(performance.now() / LOG_MILLISECONDS);
    if (window !== this.#logWindow) {
      if (this.#logLines > LOG_LINES_MAX) {
        const more = this.#logLines - LOG_LINES_MAX;
        this.#parts.log.info('spam events left out of the log', { events: more });
      }
      this.#logWindow = window;
      this.#logLines = 0;
    }
    if (++this.#logLines > LOG_LINES_MAX) return;
    this.#parts.log.info('spam event', {
      id,
      pubkey,
      points,
      result: this.#options.mode === 'observe' ? `would be: ${result}` : result,
      parts: parts.map((part) => `${part.name} ${part.points} (${part.why})`),
    });
  }
}
