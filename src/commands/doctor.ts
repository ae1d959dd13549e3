import type { Status } from '../admin/verbs/status.ts';
import { ConfigError } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import { type ExitCode, exitCodes, INTERRUPTED } from '../lib/exit-codes.ts';
import { formatCount } from '../lib/format.ts';
import { Progress } from '../lib/progress.ts';
import { thisTarget } from '../lib/uws.ts';
import { databaseFile } from '../storage/open.ts';
import type { DatabaseReport } from '../upkeep/doctor/database.ts';
import type { Finding, Severity } from '../upkeep/doctor/finding.ts';
import { type Call, type Command, CommandError, print } from './command.ts';
import { configOfCall, directoryFlags } from './config-flags.ts';
import { askRelay } from './control.ts';
import { needDatabase, storageFailure } from './failure.ts';
import { interruptible } from './interrupt.ts';

const MARKS: Readonly<Record<Severity, string>> = {
  ok: 'ok  ',
  note: 'note',
  warn: 'WARN',
  bad: 'BAD ',
};

/** `wok doctor`: is everything in order here, and what to do where it is not. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Examine database, disk, kernel and clock, and say what to do',
  flags: [
    ...directoryFlags,
    { name: '--quick', text: 'Only a sample of the events and a short look at the pages' },
    { name: '--json', text: 'Print the findings as JSON' },
    {
      name: '--repair',
      text: 'Put log and index right, or save what can be read; the relay has to be stopped',
      excludes: ['quick'],
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
  needDatabase(storage);
  const update = (step: string, done: number, total: number) =>
    progress.update(step, done, Math.max(total, 1));
  let database = await look(call, config, update);
  const done: string[] = [];
  if (call.flags.has('repair') && needsRepair(database)) {
    done.push(...(await repair(config, database, { signal, progress: update })));
    if (signal.aborted) return INTERRUPTED;
    database = await look(call, config, update);
  }
  const { engineFinding, examineMachine, thisMachine } = await import(
    '../upkeep/doctor/machine.ts'
  );
  const found = [
    ...database.findings,
    engineFinding(thisTarget()),
    ...examineMachine(config, thisMachine(), await relayProcess(call)),
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
  const { openCopy } = await import('../storage/copy.ts');
  const { examineDatabase } = await import('../upkeep/doctor/database.ts');
  const { signatureFinding } = await import('../upkeep/doctor/machine.ts');
  const { loadSignatureBackend } = await import('../protocol/signature/signature.ts');
  const signature = await loadSignatureBackend(ingester.signature_backend);
  const db = openCopy(databaseFile(storage.directory));
  try {
    const quick = call.flags.has('quick');
    const report = examineDatabase(db, storage, signature, { quick, progress });
    report.findings.push(signatureFinding(signature.name, signature.detail));
    return report;
  } finally {
    db.close();
  }
}

function needsRepair({ log, pagesDamaged, findings }: DatabaseReport): boolean {
  return (
    pagesDamaged ||
    (log !== null && log.dangling > 0) ||
    findings.some(({ area, severity }) => area === 'database' && severity === 'bad')
  );
}

async function repair(
  config: Config,
  { log, pagesDamaged }: DatabaseReport,
  options: import('../upkeep/doctor/repair.ts').RepairOptions,
): Promise<string[]> {
  const { repairLog, salvage } = await import('../upkeep/doctor/repair.ts');
  if (!pagesDamaged) return log === null ? [] : repairLog(config.storage, log, options);
  const { events, lost, damaged } = await salvage(config, options);
  return [
    `${formatCount(events)} events were saved into a new database, at ${formatCount(lost)} places nothing could be read.`,
    `The damaged database is ${damaged} now; compare with a backup before you remove it.`,
  ];
}

/** The process id of the relay that runs on the directory, or null. */
async function relayProcess(call: Call): Promise<number | null> {
  try {
    return (await askRelay<Status>(call, 'status')).pid;
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
  if (bad + warn === 0) return 'All is well.';
  return `${bad} bad, ${warn} to be looked after, ${count('ok')} in order.`;
}

function statusOf(found: readonly Finding[]): ExitCode {
  const bad = found.filter(({ severity }) => severity === 'bad');
  if (bad.some(({ area }) => area === 'database')) return exitCodes.damaged;
  return bad.length > 0 ? exitCodes.refused : exitCodes.ok;
}
