// Access to the relay under test, at an address or started here.

import { httpUrl, parseTarget, type Target } from '../client/target.ts';
import type { TargetFacts } from '../report/result.ts';
import { ProcessMeter } from './process-meter.ts';
import { type StartedRelay, startRelay } from './start.ts';

const INFORMATION_MILLISECONDS = 5000;

/** Relay information document (NIP-11), as far as the bench reads it. */
export interface RelayInformation {
  readonly name?: unknown;
  readonly software?: unknown;
  readonly version?: unknown;
  readonly supported_nips?: unknown;
  readonly limitation?: Readonly<Record<string, unknown>>;
}

/** Source of the relay of a run. */
export type RelaySource =
  | {
      readonly from: 'url';
      readonly url: string;
      readonly pids: readonly number[];
      readonly dataDirectory?: string;
    }
  | {
      readonly from: 'start';
      readonly settings: readonly string[];
      /** Compiled command of the wok to start; default: that of this build. */
      readonly wok?: string;
    };

/** Relay that is ready to be measured. */
export interface Session {
  readonly target: Target;
  readonly facts: TargetFacts;
  /** Most events for a filter, if the relay says so. */
  readonly limitMax: number | undefined;
  readonly meter: ProcessMeter | undefined;
  readonly dataDirectory: string | undefined;
  /** Relay that the bench started, empty and for this run alone; undefined for an address. */
  readonly started: StartedRelay | undefined;
  /** True if it holds nothing but the main dataset; always false for a relay at an address. */
  isAlone: boolean;
  end(): Promise<void>;
}

/**
 * Starts a relay, or reads what is known of the one at an address.
 *
 * @throws Error when a relay cannot be started; UsageError for a wrong URL or process id.
 */
export async function openSession(source: RelaySource): Promise<Session> {
  if (source.from === 'start') {
    const started = await startRelay(source.settings, source.wok);
    const target = parseTarget(started.url);
    const information = await fetchInformation(target).catch(() => undefined);
    return {
      target,
      facts: { ...factsOf(target, information), started: started.facts },
      limitMax: limitOf(information),
      meter: process.platform === 'linux' ? new ProcessMeter([started.pid]) : undefined,
      dataDirectory: started.dataDirectory,
      started,
      isAlone: true,
      end: () => started.stop(),
    };
  }
  const target = parseTarget(source.url);
  const information = await fetchInformation(target).catch(() => undefined);
  return {
    target,
    facts: factsOf(target, information),
    limitMax: limitOf(information),
    meter: source.pids.length === 0 ? undefined : new ProcessMeter(source.pids),
    dataDirectory: source.dataDirectory,
    started: undefined,
    isAlone: false,
    end: () => Promise.resolve(),
  };
}

/** Fetches the relay information document. @throws Error when there is none. */
export async function fetchInformation(target: Target): Promise<RelayInformation> {
  const response = await fetch(httpUrl(target), {
    headers: { accept: 'application/nostr+json' },
    signal: AbortSignal.timeout(INFORMATION_MILLISECONDS),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const document: unknown = await response.json();
  if (typeof document !== 'object' || document === null) throw new Error('it is not a JSON object');
  return document as RelayInformation;
}

/** Returns the missing CORS headers, which web pages need to read the document (NIP-11). */
export async function httpOptions(target: Target): Promise<string[]> {
  const faults: string[] = [];
  const response = await fetch(httpUrl(target), {
    headers: { accept: 'text/html;q=0.9, application/nostr+json' },
    signal: AbortSignal.timeout(INFORMATION_MILLISECONDS),
  });
  await response.body?.cancel();
  for (const header of ['Origin', 'Headers', 'Methods']) {
    if (!response.headers.has(`access-control-allow-${header}`)) {
      faults.push(`no Access-Control-Allow-${header}`);
    }
  }
  return faults;
}

function factsOf({ url }: Target, information: RelayInformation | undefined): TargetFacts {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    url,
    name: text(information?.name),
    software: text(information?.software),
    version: text(information?.version),
  };
}

function limitOf(information: RelayInformation | undefined): number | undefined {
  const limit = information?.limitation?.max_limit;
  return typeof limit === 'number' && limit > 0 ? limit : undefined;
}
