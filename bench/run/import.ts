// Scenario import: loads the dataset and measures the size of the database.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatBytes } from '../../src/lib/format.ts';
import { parseTarget } from '../client/target.ts';
import { cachedDataset } from '../dataset/generate.ts';
import { datasetParameters } from '../dataset/parameters.ts';
import { directoryBytes } from '../relay/process-meter.ts';
import { openSession, type RelaySource, type Session } from '../relay/session.ts';
import { ownWok } from '../relay/start.ts';
import type { CaseResult, DatabaseSize } from '../report/result.ts';
import { adjusted } from './adjust.ts';
import { Datasets } from './datasets.ts';
import { storedSample } from './read-back.ts';
import { type RunOptions, runCase, storing } from './run-case.ts';

const OUTPUT_CHARACTERS_MAX = 2000;

/** Stores the dataset by a command or over the socket, and measures the size of the database. */
export async function runImport(options: RunOptions): Promise<Session['facts']> {
  const session = await openSession(options.source);
  try {
    const datasets = new Datasets(options.parameters, options.progress, options.signal);
    const command = options.importCommand ?? ownCommand(options.source);
    const result =
      command === undefined
        ? await byPublishing(options, session, datasets)
        : await byCommand(options, session, datasets, command);
    if (result !== undefined) options.onResult(result);
    return session.facts;
  } finally {
    options.progress.clear();
    await session.end();
  }
}

async function byPublishing(
  options: RunOptions,
  session: Session,
  datasets: Datasets,
): Promise<CaseResult> {
  const of = adjusted({ ...storing, name: 'by publishing' }, options.parameters);
  const result = await runCase(options, session, datasets, 'import', of);
  return withSize(result, session, await jsonBytes(datasets));
}

/** Returns the command `wok import` of the build that was started, if it has one. */
function ownCommand(source: RelaySource): string | undefined {
  if (source.from !== 'start') return undefined;
  const { wok = ownWok } = source;
  // `commands/` in builds from before that folder was renamed to `cli/`.
  const places = ['cli/import.js', 'commands/import.js'];
  if (!places.some((place) => existsSync(join(dirname(wok), place)))) return undefined;
  // The empty configuration of the started relay, and nothing of this environment.
  const config = '--config {data}/../relay.conf --data {data}';
  return `env -i PATH="$PATH" ${quoted(process.execPath)} ${quoted(wok)} import ${config} {file}`;
}

/** Imports by a command. A relay that was started here is stopped meanwhile. */
async function byCommand(
  options: RunOptions,
  session: Session,
  datasets: Datasets,
  command: string,
): Promise<CaseResult | undefined> {
  const { parameters, progress, signal } = options;
  const { events, seed, until, cacheDirectory } = parameters;
  const wanted = datasetParameters({ profile: 'social', events, seed, until });
  const file = await cachedDataset(wanted, cacheDirectory, {
    signal,
    progress: (made) => progress.update('making social events', made, events),
  });
  await session.started?.halt();
  progress.update('import by command', 0, 1);
  const filled = command
    .replaceAll('{file}', quoted(file))
    .replaceAll('{data}', quoted(session.dataDirectory ?? '.'));
  const began = performance.now();
  await shell(filled, signal);
  const seconds = (performance.now() - began) / 1000;
  if (signal.aborted) return undefined;
  const size = await sizeOf(session, await jsonBytes(datasets), events);
  const target =
    session.started === undefined ? session.target : parseTarget(await session.started.restart());
  const { asked, found } = await storedSample(target, await datasets.stored());
  const wrong: Record<string, number> =
    found === asked ? {} : { 'an imported event cannot be read back': asked - found };
  const nothing = { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0 };
  return {
    scenario: 'import',
    name: 'by command',
    unit: 'event',
    headline: 'import',
    ok: found === asked,
    interrupted: false,
    seconds,
    done: events,
    perSecond: events / seconds,
    latencyFrom: 'sending',
    latency: nothing,
    actions: [],
    errors: {},
    wrong,
    examples: [],
    counts: { 'read back': asked },
    bytesIn: 0,
    bytesOut: 0,
    client: { threads: 0, cpuShare: 0, loopShare: 0, cores: 0, isBottleneck: false, isLate: false },
    series: { intervalSeconds: 1, warmupSeconds: 0, perSecond: [], p50: [], p99: [], rss: [] },
    curve: [],
    notes: size === undefined ? [] : [sizeNote(size)],
    ...(size === undefined ? {} : { database: size }),
  };
}

async function withSize(result: CaseResult, session: Session, json: number): Promise<CaseResult> {
  const running = await sizeOf(session, json, result.done);
  if (running === undefined) return result;
  const notes = [...result.notes, sizeNote(running)];
  if (session.started === undefined) return { ...result, notes, database: running };
  await session.started.halt();
  const stopped = (await sizeOf(session, json, result.done))!;
  notes.push(`After a clean stop it uses ${formatBytes(stopped.bytes)}.`);
  return { ...result, notes, database: stopped };
}

async function sizeOf(
  { dataDirectory }: Session,
  json: number,
  events: number,
): Promise<DatabaseSize | undefined> {
  if (dataDirectory === undefined) return undefined;
  const bytes = await directoryBytes(dataDirectory);
  return { bytes, jsonBytes: json, bytesPerEvent: bytes / Math.max(events, 1) };
}

function sizeNote({ bytes, jsonBytes, bytesPerEvent }: DatabaseSize): string {
  return (
    `The database uses ${formatBytes(bytes)}, ${formatBytes(bytesPerEvent)} per event, ` +
    `${(bytes / jsonBytes).toFixed(2)} times the JSON of the events (${formatBytes(jsonBytes)}).`
  );
}

async function jsonBytes(datasets: Datasets): Promise<number> {
  const dataset = await datasets.stored();
  return dataset.averageBytes * dataset.count;
}

async function shell(command: string, signal: AbortSignal): Promise<void> {
  let output = '';
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'], signal });
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the import command ended with status ${code}:\n${output}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
