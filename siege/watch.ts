// Relay process under attack, and the measurements on it: memory, processor time, dead workers,
// health.

import { now } from '../bench/load/clock.ts';
import { MachineMeter, ProcessMeter } from '../bench/relay/process-meter.ts';
import { type StartedRelay, startRelay } from '../bench/relay/start.ts';

const SAMPLE_MILLISECONDS = 50;
/**
 * Settings of the relay: any free port for the metrics, too; all else is the default configuration.
 */
const SETTINGS = ['metrics.port=0'];
/** Pattern of the log line for each worker that exits with its thread. */
const WORKER_EXITED = /\ba worker exited\b/;
const OUTPUT_CHARACTERS_MAX = 20_000;

/** Relay with the default configuration and the settings of a scenario, with its measurements. */
export class Besieged {
  readonly relay: StartedRelay;
  #meter: ProcessMeter;
  readonly #machine = new MachineMeter();
  readonly #output: { text: string; workerDeaths: number };
  #peak = 0;
  #hasEnded = false;
  #timer: NodeJS.Timeout;

  private constructor(relay: StartedRelay, output: { text: string; workerDeaths: number }) {
    this.relay = relay;
    this.#output = output;
    this.#meter = new ProcessMeter([relay.pid]);
    this.#timer = setInterval(() => this.rss(), SAMPLE_MILLISECONDS);
  }

  static async start(settings: readonly string[] = []): Promise<Besieged> {
    const output = { text: '', workerDeaths: 0 };
    let line = '';
    const onOutput = (text: string) => {
      output.text = (output.text + text).slice(-OUTPUT_CHARACTERS_MAX);
      const lines = (line + text).split('\n');
      line = lines.pop()!;
      output.workerDeaths += lines.filter((one) => WORKER_EXITED.test(one)).length;
    };
    const all = [...SETTINGS, ...settings];
    return new Besieged(await startRelay(all, undefined, { lifted: false, onOutput }), output);
  }

  /** Number of workers that died, by the log. */
  get workerDeaths(): number {
    return this.#output.workerDeaths;
  }

  /** End of the relay's output. */
  get output(): string {
    return this.#output.text;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Peak of memory since the last call of `resetPeak`, in bytes. */
  get peak(): number {
    return this.#peak;
  }

  resetPeak(): void {
    this.#peak = 0;
  }

  /** Returns the memory in use now, in bytes; 0 when the relay has ended. */
  rss(): number {
    const sample = this.#meter.sample(now());
    if (sample === undefined) this.#hasEnded = true;
    const bytes = sample?.rssBytes ?? 0;
    this.#peak = Math.max(this.#peak, bytes);
    return bytes;
  }

  /** Returns the processor time of the relay so far, in seconds. */
  cpuSeconds(): number {
    return this.#meter.sample(now())?.cpuSeconds ?? 0;
  }

  /** Returns the share of the machine that was idle since the last call; 0 where it is unknown. */
  idleShare(): number {
    return this.#machine.read()?.idleShare ?? 0;
  }

  /** Returns `ok`, or the other answer of GET /health, or the error. */
  async health(patience: number): Promise<string> {
    const url = `${this.relay.url.replace(/^ws/, 'http')}/health`;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(patience) });
      return (await response.text()).trim();
    } catch (error) {
      return (error as Error).message;
    }
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.relay.stop();
  }
}
