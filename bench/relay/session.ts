import { httpUrl, parseTarget, type Target } from '../client/target.ts';
import type { TargetFacts } from '../report/result.ts';
import { ProcessMeter } from './process-meter.ts';
import { type StartedRelay, startRelay } from './start.ts';

const INFORMATION_MILLISECONDS = 5000;

/** The relay information document (NIP-11), as far as the bench looks at it. */
export interface RelayInformation {
  readonly name?: unknown;
  readonly software?: unknown;
  readonly version?: unknown;
  readonly supported_nips?: unknown;
  readonly limitation?: Readonly<Record<string, unknown>>;
}

/** Where a run's relay comes from. */
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
      /** The compiled command of the wok to start; default: that of this build. */
      readonly wok?: string;
    };

/** A relay that can be measured now. */
export interface Session {
  readonly target: Target;
  readonly facts: TargetFacts;
  /** The most events for a filter, where the relay says. */
  readonly limitMax: number | undefined;
  readonly meter: ProcessMeter | undefined;
  readonly dataDirectory: string | undefined;
  /** Whether it was started by the bench, empty and for nobody else. */
  readonly started: StartedRelay | undefined;
  /** Whether it holds nothing but the main dataset; nobody knows that of a relay at an address. */
  isAlone: boolean;
  end(): Promise<void>;
}

/** @throws Error when a relay cannot be started; UsageError for a wrong URL or process id. */
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

/** @throws Error when there is no such document. */
export async function fetchInformation(target: Target): Promise<RelayInformation> {
  const response = await fetch(httpUrl(target), {
    headers: { accept: 'application/nostr+json' },
    signal: AbortSignal.timeout(INFORMATION_MILLISECONDS),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const document: unknown = await response.json();
  if (typeof document !== 'object' || document === null) throw new Error('it is no JSON object');
  return document as RelayInformation;
}

/** What keeps web pages from reading the document: NIP-11 asks for these headers. */
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
