// Probe of a relay: latencies, information document, and the NIPs it advertises.

import type { Target } from '../client/target.ts';
import { median } from '../figures/statistics.ts';
import { fetchInformation, httpOptions, type RelayInformation } from '../relay/session.ts';
import { type Finding, no, ProbeContext, unknown, yes } from './context.ts';
import { nipProbes } from './nips.ts';

const LATENCY_TRIES = 7;

/** Line of the screen. */
interface ProbeLine {
  readonly name: string;
  readonly finding: Finding;
}

interface NipLine extends ProbeLine {
  readonly nip: number;
  /** True if the relay says that it supports the NIP; undefined if it advertises no list. */
  readonly says: boolean | undefined;
}

/** Report of `wok bench probe`. */
export interface ProbeReport {
  readonly format: 'wok-bench-probe-1';
  readonly url: string;
  readonly at: string;
  readonly name: string;
  readonly software: string;
  readonly version: string;
  /** True if it can be reached, and no probe of NIP-01 or of an advertised NIP failed. */
  readonly ok: boolean;
  readonly basics: readonly ProbeLine[];
  readonly nips: readonly NipLine[];
  /** Advertised NIPs that have no probe. */
  readonly untried: readonly number[];
}

/** Probes a relay with a few dozen messages. */
export async function probe(target: Target, tell: (what: string) => void): Promise<ProbeReport> {
  const basics: ProbeLine[] = [];
  const add = (name: string, finding: Finding) => basics.push({ name, finding });
  tell('the relay information document');
  let information: RelayInformation | undefined;
  try {
    information = await fetchInformation(target);
    const faults = [...informationFaults(information), ...(await httpOptions(target))];
    add(
      'information document (NIP-11)',
      faults.length === 0 ? yes('complete, with CORS headers') : no(faults.join(', ')),
    );
  } catch (error) {
    add('information document (NIP-11)', no(messageOfError(error)));
  }
  const context = await ProbeContext.open(target);
  try {
    tell('the connection');
    const reached = await latencies(context, add);
    const nips = reached ? await tryNips(context, information, tell) : [];
    const advertised = advertisedBy(information) ?? [];
    const tried = new Set([11, ...nips.map(({ nip }) => nip)]);
    const text = (value: unknown) => (typeof value === 'string' ? value : '');
    return {
      format: 'wok-bench-probe-1',
      url: target.url,
      at: new Date().toISOString(),
      name: text(information?.name),
      software: text(information?.software),
      version: text(information?.version),
      ok: reached && nips.every(holdsItsWord),
      basics,
      nips,
      untried: advertised.filter((nip) => !tried.has(nip)),
    };
  } finally {
    await context.end();
  }
}

function holdsItsWord({ nip, says, finding }: NipLine): boolean {
  return finding.does !== 'no' || (nip !== 1 && says !== true);
}

/** Measures handshake, first EOSE and OK; returns true if the relay answered a REQ. */
async function latencies(
  context: ProbeContext,
  add: (name: string, finding: Finding) => void,
): Promise<boolean> {
  const handshakes: number[] = [];
  const answers: number[] = [];
  const oks: number[] = [];
  let refusal = '';
  try {
    for (let tries = 0; tries < LATENCY_TRIES; tries++) {
      const asker = await context.connect();
      handshakes.push(asker.handshakeMilliseconds);
      answers.push((await asker.query([{ kinds: [1], limit: 1 }])).milliseconds);
      const event = context.event({ content: `probe ${tries}` });
      const began = performance.now();
      const { accepted, reason } = await context.publish(asker, event);
      oks.push(performance.now() - began);
      if (!accepted) refusal = reason;
    }
  } catch (error) {
    const finding = no(messageOfError(error));
    add(
      handshakes.length === 0 ? 'handshake' : answers.length === 0 ? 'first EOSE' : 'OK',
      finding,
    );
    return answers.length > 0;
  }
  add('handshake', yes(spread(handshakes)));
  add('first EOSE', yes(spread(answers)));
  add('OK', refusal === '' ? yes(spread(oks)) : unknown(`${spread(oks)}, but refused: ${refusal}`));
  return true;
}

async function tryNips(
  context: ProbeContext,
  information: RelayInformation | undefined,
  tell: (what: string) => void,
): Promise<NipLine[]> {
  const advertised = advertisedBy(information);
  const lines: NipLine[] = [];
  for (const { nip, title, run } of nipProbes) {
    tell(`NIP-${String(nip).padStart(2, '0')}`);
    const says = advertised?.includes(nip);
    try {
      const asker = await context.connect();
      lines.push({ nip, name: title, says, finding: await run(context, asker) });
    } catch (error) {
      lines.push({ nip, name: title, says, finding: no(messageOfError(error)) });
    }
  }
  return lines;
}

function advertisedBy(information: RelayInformation | undefined): number[] | undefined {
  const nips = information?.supported_nips;
  if (!Array.isArray(nips)) return undefined;
  return nips.map(Number).filter((nip) => Number.isInteger(nip));
}

function informationFaults(information: RelayInformation): string[] {
  const faults: string[] = [];
  if (typeof information.name !== 'string' || information.name === '') faults.push('no name');
  if (!Array.isArray(information.supported_nips)) faults.push('no supported_nips');
  if (typeof information.software !== 'string') faults.push('no software');
  if (typeof information.version !== 'string') faults.push('no version');
  for (const [key, value] of Object.entries(information.limitation ?? {})) {
    if (typeof value !== 'number' && typeof value !== 'boolean') faults.push(`limitation.${key}`);
  }
  return faults;
}

function spread(values: readonly number[]): string {
  const show = (value: number) => value.toFixed(value < 10 ? 2 : 1);
  return `${show(median(values))} ms (${show(Math.min(...values))} to ${show(Math.max(...values))})`;
}

function messageOfError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
