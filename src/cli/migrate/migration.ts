// One run of `wok migrate`: plan, count, relay.conf, passes, advice.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import { exitCodes, INTERRUPTED } from '../../lib/exit-codes.ts';
import { formatCount } from '../../lib/format.ts';
import { Progress } from '../../lib/progress.ts';
import { placeOf, type Tally } from '../../maintenance/import/tally.ts';
import { moveEvents } from '../../maintenance/migrate/passes.ts';
import { isFromMigrate, relayConf } from '../../maintenance/migrate/relay-conf.ts';
import { type Counted, type EventSource, SourceError } from '../../maintenance/migrate/source.ts';
import { isDirectory } from '../backup.ts';
import { type Call, CommandError, print, UsageError } from '../command.ts';
import { storageFailure } from '../failure.ts';
import { agreementText, countText, passText, planText, switchText } from './report.ts';
import { type Origin, originOf } from './sources.ts';

const ADMITTED_NAME = 'admitted-keys.txt';

/** Wishes of a call that are checked before anything is read. */
export interface Wishes {
  /** Half of the work that is done; undefined: both. */
  readonly only: 'config' | 'events' | undefined;
  /** Time in seconds from which on events are copied; undefined: all. */
  readonly since: number | undefined;
  /** Name of the file for relay.conf. */
  readonly file: string;
}

/**
 * Carries out a call of `wok migrate`; returns the exit status.
 *
 * @throws CommandError, UsageError, ConfigError
 */
export async function migrate(call: Call, wishes: Wishes, signal: AbortSignal): Promise<number> {
  try {
    return await new Migration(call, await originOf(call), wishes, signal).run();
  } catch (error) {
    if (error instanceof SourceError) throw new CommandError(error.message, error.exitCode);
    throw error;
  }
}

/** One run of the command. */
class Migration {
  readonly #call: Call;
  readonly #origin: Origin;
  readonly #only: Wishes['only'];
  readonly #since: number | undefined;
  readonly #signal: AbortSignal;
  readonly #file: string;
  readonly #progress = new Progress();
  readonly #beganAt = Math.floor(Date.now() / 1000);
  #secondSeconds = 0;

  constructor(call: Call, origin: Origin, { only, since, file }: Wishes, signal: AbortSignal) {
    this.#call = call;
    this.#origin = origin;
    this.#only = only;
    this.#since = since;
    this.#signal = signal;
    this.#file = resolve(call.cwd, file);
  }

  async run(): Promise<number> {
    const isDryRun = this.#call.flags.has('dry-run');
    if (!isDryRun) this.#checkFile();
    const source = this.#only === 'config' ? null : this.#origin.events();
    if (this.#only !== 'events') {
      print(planText(this.#origin.reading, isDryRun ? undefined : this.#file));
    }
    const counted = source === null ? null : await this.#count(source);
    if (this.#signal.aborted) return INTERRUPTED;
    if (source !== null && counted !== null) print(countText(counted, source.name));
    if (isDryRun) {
      print('Dry run: nothing was written. The same command without --dry-run does it.');
      return exitCodes.ok;
    }
    const admitted = await this.#admit(source);
    if (this.#only !== 'events') this.#writeConfig(admitted);
    const config = this.#config();
    if (source === null || counted === null) return exitCodes.ok;
    return this.#move(config, source, counted);
  }

  /** @throws CommandError, UsageError when the file of --config-out may not be written. */
  #checkFile(): void {
    if (this.#only === 'events') return;
    const file = this.#file;
    if (isDirectory(file)) throw new UsageError(`${file} is a directory; name a file in it.`);
    if (!isDirectory(dirname(file))) {
      throw new UsageError(`There is no directory ${dirname(file)} for --config-out; create it.`);
    }
    if (!existsSync(file) || this.#call.flags.has('force') || this.#isOurs()) return;
    throw new CommandError(
      `${file} exists already; name another file with --config-out, replace it with --force, or copy only the events with --only events.`,
      exitCodes.refused,
    );
  }

  #isOurs(): boolean {
    return isFromMigrate(readFileSync(this.#file, 'utf8'));
  }

  /** Writes relay.conf, unless it is there from an earlier run. */
  #writeConfig(admitted: string | undefined): void {
    const { reading } = this.#origin;
    if (existsSync(this.#file) && !this.#call.flags.has('force')) {
      print(`${this.#file} is there from an earlier run and stays as it is; --force replaces it.`);
      return;
    }
    const { remarks, blocks } = reading.translation;
    const options = new Map(reading.translation.options);
    const data = this.#call.flags.last('data');
    if (data !== undefined) {
      options.set('storage.directory', { value: resolve(this.#call.cwd, data), from: ['--data'] });
    }
    if (admitted !== undefined) {
      options.set('admission.files', { value: [admitted], from: ['the keys that have paid'] });
    }
    const text = relayConf({ options, remarks, blocks }, this.#call.action, reading.from);
    this.#write(this.#file, text);
    print(`${this.#file} was written.`);
  }

  /**
   * Adds the keys that have paid to a file beside relay.conf; returns its path, or undefined if the
   * other relay takes no payments. Every run adds those that are new.
   */
  async #admit(source: EventSource | null): Promise<string | undefined> {
    if (!this.#origin.reading.takesPayments || source?.admitted === undefined) return undefined;
    const keys = await source.admitted(this.#signal);
    const file = resolve(dirname(this.#file), ADMITTED_NAME);
    const head = `# Keys that have paid, from ${this.#call.action}. wok migrate adds keys at the end.\n`;
    const before = existsSync(file) ? readFileSync(file, 'utf8') : head;
    const missing = keys.filter((key) => !before.includes(key));
    this.#write(file, `${before}${missing.map((key) => `${key}\n`).join('')}`);
    print(`${file} has the keys that have paid: ${formatCount(keys.length)}.`);
    return file;
  }

  /** @throws CommandError if the file cannot be written. */
  #write(file: string, text: string): void {
    try {
      writeFileSync(file, text);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const isForbidden = code === 'EACCES' || code === 'EROFS' || code === 'EPERM';
      throw new CommandError(
        `${file} cannot be written (${message}); name another place with --config-out.`,
        isForbidden ? exitCodes.noPermission : exitCodes.inputOutput,
      );
    }
  }

  /** Loads the configuration that events are stored with. @throws ConfigError */
  #config(): Config {
    const { cwd, env, flags } = this.#call;
    const file = existsSync(this.#file) ? this.#file : undefined;
    return loadConfig({ file, env, cwd, flags: { data: flags.last('data') } });
  }

  async #count(source: EventSource): Promise<Counted> {
    const counted = await source.count(this.#signal, (events) => {
      this.#progress.update('counting', events, 0, () => `${formatCount(events)} events`);
    });
    this.#progress.clear();
    return counted;
  }

  async #move(config: Config, source: EventSource, counted: Counted): Promise<number> {
    let passes: { first: Tally; second: Tally | null };
    try {
      passes = await moveEvents(config, source, {
        verify: !this.#call.flags.has('no-verify'),
        expected: counted.events,
        since: this.#since,
        signal: this.#signal,
        progress: (pass, events) => {
          const total = pass === 'first' && this.#since === undefined ? counted.events : 0;
          const note = () => `${formatCount(events)} events`;
          this.#progress.update(`copying, ${pass} pass`, events, total, note);
        },
        onRefused: ({ input, line, why, id }) => {
          if (!this.#call.flags.has('show-rejected')) return;
          this.#progress.say(`${placeOf(input, line)}: ${why} ${id}`);
        },
        onPass: (pass, tally, seconds) => {
          this.#secondSeconds = seconds;
          this.#progress.clear();
          print(passText(pass, tally, seconds));
        },
      });
    } catch (error) {
      this.#progress.clear();
      if (error instanceof SourceError) throw error;
      return storageFailure(error, config.storage);
    }
    return this.#report(config, counted, passes);
  }

  #report(
    config: Config,
    counted: Counted,
    { first, second }: { first: Tally; second: Tally | null },
  ): number {
    if (this.#signal.aborted) {
      print('Interrupted: the events counted here are stored. The same command continues.');
      return INTERRUPTED;
    }
    if (this.#since === undefined) print(agreementText(counted, first));
    for (const sentence of first.damaged) process.stderr.write(`wok: ${sentence}\n`);
    if (first.damaged.length > 0) return exitCodes.refused;
    const nothing = first.refused > 0 && first.added + first.duplicates === 0;
    if (nothing) return exitCodes.refused;
    print(
      switchText({
        advice: this.#origin.advice,
        file: existsSync(this.#file) ? this.#file : undefined,
        host: config.io.host,
        port: config.io.port,
        second: second === null ? null : { tally: second, seconds: this.#secondSeconds },
        beganAt: this.#beganAt,
      }),
    );
    return exitCodes.ok;
  }
}
