// Command line of the siege (`npm run siege`): parses options, runs the chosen floods and the crash
// test, prints the results.

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { out } from '../bench/actions/output.ts';
import { unknownName } from '../bench/options.ts';
import { environment } from '../bench/report/environment.ts';
import { UsageError } from '../src/cli/command.ts';
import { exitCodes } from '../src/lib/exit-codes.ts';
import { KILL, KILL_ABOUT, killBreaches, killSentence, runKill } from './kill.ts';
import { breachSentences, sentenceOf, tableOfRows } from './report.ts';
import { FULL, LONG, type Row, runScenario, SHORT, type SiegeForm } from './run.ts';
import { scenarios } from './scenarios/list.ts';
import type { Origin, Scenario } from './scenarios/scenario.ts';

const USAGE = `npm run siege -- [options] [flood ...]

Runs floods against a relay of its own on this machine, each beside honest clients, and ends with
status 1 when a bound is broken. siege/README.md explains floods, bounds and figures.

  --list             Show all floods
  --short            A second of each: what CI runs; p99 and memory afterwards are not judged
  --long             Five minutes of each, and 1,000 rounds of kill -9
  --attackers <who>  Only from 1 address, from 50, or from loopback, which has no rates
  --seconds <number> Duration of each flood (20)
  --seed <number>    Seed of everything random (1)
  --json <file>      Write all figures as JSON
`;

interface Options {
  readonly chosen: readonly Scenario[];
  readonly kills: boolean;
  readonly origins: readonly Origin[];
  readonly form: SiegeForm;
  readonly json: string | undefined;
}

const origins: Readonly<Record<string, Origin>> = {
  '1': 'one',
  '50': 'many',
  loopback: 'loopback',
};

/** @throws UsageError */
function optionsOf({ values, positionals }: ReturnType<typeof parsed>): Options {
  if (values.short && values.long) throw new UsageError('Use --short or --long, not both.');
  const seed = wholeNumber('seed', values.seed) ?? 1;
  const seconds = wholeNumber('seconds', values.seconds);
  const form = values.short ? SHORT : values.long ? LONG : FULL;
  const floodMilliseconds = seconds === undefined ? form.floodMilliseconds : seconds * 1000;
  const origin = origins[values.attackers ?? ''];
  if (values.attackers !== undefined && origin === undefined) {
    throw new UsageError('--attackers must be 1, 50 or loopback.');
  }
  const names = [...scenarios.map(({ name }) => name), KILL];
  for (const name of positionals) {
    if (!names.includes(name)) throw new UsageError(unknownName('flood', name, names));
  }
  return {
    chosen: scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    kills: positionals.length === 0 || positionals.includes(KILL),
    origins: origin === undefined ? ['one', 'many', 'loopback'] : [origin],
    form: { ...form, floodMilliseconds, seed },
    json: values.json,
  };
}

/** @throws UsageError */
function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw new UsageError(`--${name} must be a whole number, not "${text}".`);
  return Number(text);
}

/** @throws UsageError */
function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        list: { type: 'boolean' },
        help: { type: 'boolean' },
        short: { type: 'boolean' },
        long: { type: 'boolean' },
        attackers: { type: 'string' },
        seconds: { type: 'string' },
        seed: { type: 'string' },
        json: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function tellProgress(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

async function siege({ chosen, kills, origins, form, json }: Options): Promise<number> {
  const rows: Row[] = [];
  const errors: string[] = [];
  for (const scenario of chosen) {
    const from = scenario.from.filter((origin) => origins.includes(origin));
    try {
      const tell = (row: Row) => {
        tellProgress(sentenceOf(row));
        if (row.log !== '') tellProgress(row.log);
      };
      rows.push(...(await runScenario(scenario, from, form, tell)));
    } catch (error) {
      errors.push(`${scenario.name}: ${(error as Error).message}`);
    }
  }
  const killed = kills ? await runKill(form, tellProgress) : undefined;
  if (rows.length > 0) out(tableOfRows(rows));
  if (killed !== undefined) out(killSentence(killed));
  const breaches = killed === undefined ? [] : killBreaches(killed, form.kills);
  const broken = [...breachSentences(rows), ...breaches, ...errors];
  for (const sentence of broken) out(sentence);
  if (json !== undefined) {
    const report = { environment: environment(), form, rows, killed, errors };
    await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return broken.length === 0 ? exitCodes.ok : exitCodes.crash;
}

/**
 * Runs the command.
 *
 * @returns 0; 1 when a bound is broken or a flood could not be run; 2 for a usage error.
 */
async function main(args: readonly string[]): Promise<number> {
  try {
    const command = parsed(args);
    if (command.values.help) {
      out(USAGE);
      return exitCodes.ok;
    }
    if (command.values.list) {
      for (const { name, about } of scenarios) out(`${name}: ${about}`);
      out(`${KILL}: ${KILL_ABOUT}`);
      return exitCodes.ok;
    }
    return await siege(optionsOf(command));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    return exitCodes.usage;
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // The relay and the processes of the siege end with this one.
  process.once(signal, () => process.exit(130));
}
process.exitCode = await main(process.argv.slice(2));
