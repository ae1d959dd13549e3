// `wok doctor`: examines database, disk, kernel, clock and addresses, and repairs the database.

import { statSync } from 'node:fs';
import type { Status } from '../admin/rpc/status.ts';
import { ConfigError } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import { type ExitCode, exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatCount } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import { thisTarget } from '../lib/uws.ts';
import type { DatabaseReport } from '../maintenance/doctor/database.ts';
import type { Finding, Severity } from '../maintenance/doctor/finding.ts';
import { databaseFile } from '../store/database/open.ts';
import { type Call, type Command, CommandError, print } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { askRelay } from './control.ts';
import { needDatabase, storageFailure } from './failure.ts';
import { interruptible } from './interrupt.ts';

/** Names of findings about data that is in no file any more; no repair brings it back. */
const BEYOND_REPAIR: ReadonlySet<string> = new Set(['files', 'missing']);

const MARKS: Readonly<Record<Severity, string>> = {
  ok: 'ok  ',
  note: 'note',
  warn: 'WARN',
  bad: 'BAD ',
};

/** Command `wok doctor`: reports the state of this installation and what to do about each fault. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Check database, disk, kernel and clock, and print advice',
  flags: [
    ...directoryFlags,
    { name: '--quick', text: 'Check a sample of the events and only the structure of the pages' },
    { name: '--json', text: 'Print the findings as JSON' },
    {
      name: '--repair',
      text: 'Repair log and index, or save the readable events; the relay has to be stopped',
      excludes: ['quick'],
    },
    {
      name: '--accept-loss',
      text: 'Continue without committed events or a database file that are missing',
    },
  ],
  examples: ['wok doctor --data /var/lib/wok', 'wok doctor --repair'],
  async run(call) {
    let config: Config;
    try {
      config = configOfCall(call);
    } catch (error) {
      if (error instanceof ConfigError && call.flags.has('json')) {
        print(
          JSON.stringify(
            error.problems.map((text) => configurationFinding(text)),
            null,
            2,
          ),
        );
        return exitCodes.config;
      }
      throw error;
    }
    const progress = new Progress();
    try {
      return await interruptible((signal) => examine(call, config, progress, signal));
    } catch (error) {
      progress.clear();
      if (error instanceof CommandError) throw error;
      return storageFailure(error, config.storage);
    }
  },
};

function configurationFinding(text: string): Finding {
  return { area: 'configuration', name: 'wrong', severity: 'bad', text, advice: '' };
}

async function examine(
  call: Call,
  config: Config,
  progress: Progress,
  signal: AbortSignal,
): Promise<number> {
  const { storage } = config;
  const done: string[] = [];
  if (call.flags.has('accept-loss')) {
    const { acceptLoss } = await import('../store/database/open.ts');
    done.push(...acceptLoss(storage.directory));
  }
  const { missingOf } = await import('../store/database/presence.ts');
  if (missingOf(storage.directory) === null) needDatabase(storage);
  const update = (step: string, done: number, total: number) =>
    progress.update(step, done, Math.max(total, 1));
  let database = await look(call, config, update);
  if (call.flags.has('repair') && needsRepair(database)) {
    done.push(...(await repair(config, database, { signal, progress: update })));
    if (signal.aborted) return INTERRUPTED;
    database = await look(call, config, update);
  }
  const { engineFinding, examineMachine, thisMachine } = await import(
    '../maintenance/doctor/machine.ts'
  );
  const { examineIdentity } = await import('../maintenance/doctor/identity.ts');
  const { examineProxies } = await import('../maintenance/doctor/proxies.ts');
  const relay = await runningRelay(call);
  const found = [
    ...database.findings,
    engineFinding(thisTarget()),
    ...examineMachine(config, thisMachine(), relay?.pid ?? null),
    ...examineIdentity(config, relay?.reachedBy ?? []),
    ...(relay === null ? [] : examineProxies(config, relay.proxies ?? [])),
  ];
  progress.clear();
  if (call.flags.has('json')) print(JSON.stringify({ findings: found, repaired: done }, null, 2));
  else print([...found.map(lineOf), ...done, summaryOf(found)].join('\n'));
  return statusOf(found);
}

async function look(
  call: Call,
  config: Config,
  progress: (step: string, done: number, total: number) => void,
): Promise<DatabaseReport> {
  const { storage, ingester } = config;
  const { openCopy } = await import('../store/database/copy.ts');
  const { asStorageError } = await import('../store/database/error.ts');
  const { examinePresence } = await import('../maintenance/doctor/presence.ts');
  const { examineDatabase, PAGES_ADVICE } = await import('../maintenance/doctor/database.ts');
  const { signatureFinding } = await import('../maintenance/doctor/machine.ts');
  const { loadSignatureBackend } = await import('../protocol/signature/signature.ts');
  const signature = await loadSignatureBackend(ingester.signature_backend);
  const file = databaseFile(storage.directory);
  const { findings: presence, missing } = examinePresence(storage.directory);
  const report: DatabaseReport = {
    findings: [],
    log: null,
    pagesDamaged: missing?.hasLog ?? false,
  };
  if (statSync(file, { throwIfNoEntry: false })?.size) {
    let db: import('../store/database/open.ts').Db | null = null;
    try {
      db = openCopy(file);
      const quick = call.flags.has('quick');
      const examined = examineDatabase(db, storage, signature, { quick, progress });
      examined.pagesDamaged ||= report.pagesDamaged;
      Object.assign(report, examined);
    } catch (error) {
      const failure = asStorageError(error, file);
      if (failure.fault !== 'damaged') throw error;
      Object.assign(report, {
        findings: [unreadable(failure.message, PAGES_ADVICE)],
        pagesDamaged: true,
      });
    } finally {
      db?.close();
    }
  }
  report.findings.unshift(...presence);
  report.findings.push(signatureFinding(signature.name, signature.detail));
  return report;
}

function unreadable(message: string, advice: string): Finding {
  return {
    area: 'database',
    name: 'pages',
    severity: 'bad',
    text: `${message.split(';')[0]}.`.replace(/^./, (first) => first.toUpperCase()),
    advice,
  };
}

function needsRepair({ log, pagesDamaged, findings }: DatabaseReport): boolean {
  return (
    pagesDamaged ||
    (log !== null && log.dangling > 0) ||
    findings.some(
      ({ area, name, severity }) =>
        area === 'database' && severity === 'bad' && !BEYOND_REPAIR.has(name),
    )
  );
}

async function repair(
  config: Config,
  { log, pagesDamaged }: DatabaseReport,
  options: import('../maintenance/doctor/repair.ts').RepairOptions,
): Promise<string[]> {
  if (!pagesDamaged) {
    const { repairLog } = await import('../maintenance/doctor/repair.ts');
    return log === null ? [] : repairLog(config.storage, log, options);
  }
  const { salvage } = await import('../maintenance/doctor/salvage.ts');
  const { events, carved, places, damaged } = await salvage(config, options);
  return [
    `${formatCount(events)} events were saved into a new database, ${formatCount(carved)} of them from pages that SQLite does not find any more; ${formatCount(places)} entries of its log could not be read.`,
    `The damaged database is ${damaged} now; compare it with a backup before you remove it.`,
  ];
}

/** Returns the status of the relay that runs on the directory, or null if it cannot be asked. */
async function runningRelay(call: Call): Promise<Status | null> {
  try {
    return await askRelay<Status>(call, 'status');
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}

function lineOf({ area, name, severity, text, advice }: Finding): string {
  const head = `${MARKS[severity]}  ${`${area} ${name}`.padEnd(26)}  ${text}`;
  return advice === '' || severity === 'ok' ? head : `${head}\n      → ${advice}`;
}

function summaryOf(found: readonly Finding[]): string {
  const count = (severity: Severity) => found.filter((one) => one.severity === severity).length;
  const [bad, warn] = [count('bad'), count('warn')];
  if (bad + warn === 0) return 'No problems found.';
  return `${bad} bad, ${warn} warnings, ${count('ok')} ok.`;
}

function statusOf(found: readonly Finding[]): ExitCode {
  const bad = found.filter(({ severity }) => severity === 'bad');
  if (bad.some(({ area }) => area === 'database')) return exitCodes.damaged;
  return bad.length > 0 ? exitCodes.refused : exitCodes.ok;
}
