// Process of `wok relay`: start, signals, reload, hand-over to a successor, stop, and exit status.
// Runs on the main thread.

import type { Reconfiguration } from './config/change.ts';
import { identityAdvice } from './config/identity-advice.ts';
import { ConfigError, originsOf } from './config/load.ts';
import type { Config } from './config/options.ts';
import { tooFewDescriptors } from './io/descriptor-limit.ts';
import { ListenError } from './io/listen.ts';
import { type ExitCode, exitCodes } from './lib/exit-codes.ts';
import { boundHeapGrowth } from './lib/heap-growth.ts';
import { isNativeLoadFailure, NativeModuleError } from './lib/uws.ts';
import { createLog, type ProcessLog } from './log/pino.ts';
import { version } from './paths.ts';
import { Relay, workerCounts } from './relay.ts';
import { libc } from './service/libc.ts';
import { ServiceManager, type Vital } from './service/notify.ts';
import { type Predecessor, Successor, steerToSuccessor } from './service/succession.ts';
import { asStorageError, isSqliteError, storageExitCode } from './store/database/error.ts';
import { databaseFile } from './store/database/open.ts';
import { threadsAreShared } from './supervisor/threads.ts';

/** Options whose change may make the relay's own addresses necessary. */
const CONCERNS_IDENTITY = /^(identity|auth|membership|admin)\.|^info\.pubkey$/;

/** Time that the admin worker gets to pass an answer on before it closes. */
const ANSWER_MILLISECONDS = 50;

/**
 * Runs the relay until it is told to stop (SIGTERM, SIGINT) or cannot go on. A second signal ends
 * the process at once. SIGHUP reloads the configuration; SIGUSR2 starts a successor that takes over
 * without refusing a client.
 *
 * @param readConfig reads the configuration from where the first one came from.
 * @param predecessor the process that this one takes over from, if there is one.
 * @returns the exit status, see `exitCodes`.
 */
export async function runRelay(
  config: Config,
  readConfig: () => Config,
  predecessor: Predecessor | null,
): Promise<ExitCode> {
  const log = createLog(config.log);
  // Empty until the relay runs: by default these signals would end the process.
  let [onReload, onRestart] = [() => {}, () => {}];
  process.on('SIGHUP', () => onReload());
  process.on('SIGUSR2', () => onRestart());
  process.on('SIGUSR1', () => {
    log.warn(
      'SIGUSR1 is ignored, it does not start the inspector of Node.js; to debug, start with node --inspect',
    );
  });
  const manager = new ServiceManager(process.env);
  if (predecessor === null) manager.status('starting');
  let relay: Relay;
  const threads = Object.values(workerCounts(config)).reduce((sum, count) => sum + count, 0);
  const few = tooFewDescriptors(config, threads);
  if (few !== null) {
    await predecessor?.fails(few);
    process.stderr.write(`wok: ${few}\n`);
    return exitCodes.config;
  }
  try {
    boundHeapGrowth();
    relay = await Relay.start(config, log, predecessor?.port);
    if (predecessor) {
      await predecessor.hands();
      await relay.own(() => {
        predecessor.taken();
        // The service is this process from here on, and the admin worker may take longer.
        manager.watch(() => vital(relay));
      });
    }
  } catch (error) {
    await predecessor?.fails((error as Error).message);
    const { sentence, status } = startFailure(error as Error, config);
    process.stderr.write(`wok: ${sentence}\n`);
    return status;
  }
  const readAgain = () => reload(relay, readConfig, log, manager);
  let replaced: () => void = () => {};
  const replacement = new Promise<'replaced'>((resolve) => {
    replaced = () => resolve('replaced');
  });
  let restarting = false;
  const restart = async () => {
    if (restarting) throw new Error('a successor is already being started');
    restarting = true;
    try {
      return await handOver(relay, log, manager, replaced, () => {
        restarting = false;
      });
    } catch (error) {
      restarting = false;
      throw error;
    }
  };
  log.countBy(relay.countLine);
  const compare = async () => {
    const { live, waiting } = relay.compare(readConfig());
    return { live, waiting };
  };
  const orders = { reload: readAgain, restart, compare };
  relay.onOrder = (order) => orders[order]();
  onReload = () => void readAgain().catch(() => {});
  onRestart = () => void restart().catch(() => {});
  // Before the service manager is told that the relay runs: it may send SIGTERM next.
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    const onSignal = (signal: NodeJS.Signals) => {
      process.once('SIGTERM', () => process.exit(exitCodes.crash));
      process.once('SIGINT', () => process.exit(exitCodes.crash));
      resolve(signal);
    };
    process.once('SIGTERM', onSignal);
    process.once('SIGINT', onSignal);
  });
  log.info(startLine(config, relay));
  const advice = identityAdvice(config);
  if (advice) log.warn(advice);
  manager.ready(vital(relay).status);
  manager.watch(() => vital(relay));
  let deathStatus: ExitCode = exitCodes.inputOutput;
  const fatal = relay.fatal.then(({ station, error }) => {
    log.error(`the ${station} worker exited; the relay stops`, { error: String(error) });
    const failure = isSqliteError(error)
      ? asStorageError(error, databaseFile(config.storage.directory))
      : error;
    // A damaged database, which no restart cures.
    if (storageExitCode(failure) === exitCodes.damaged) {
      log.error(failure.message);
      deathStatus = exitCodes.damaged;
    }
    return null;
  });
  let signal = await Promise.race([stopped, fatal, replacement]);
  if (signal === 'replaced') {
    const steered = steerToSuccessor(libc(), relay.port);
    const goneAway = relay.disconnectClients(steered).then(() => 'replaced' as const);
    signal = await Promise.race([stopped, fatal, goneAway]);
  } else {
    manager.stopping(signal === null ? 'a worker exited' : 'storing accepted events');
  }
  if (signal === null) {
    await relay.abandon();
    log.flush();
    return deathStatus;
  }
  log.info(
    signal === 'replaced'
      ? 'all clients have moved to the new process'
      : `${signal}: shutting down`,
  );
  await relay.stop();
  log.flush();
  log.info(signal === 'replaced' ? 'exiting' : 'all accepted events are stored; exiting');
  return exitCodes.ok;
}

/**
 * Starts a successor and gives it the database. Resolves with its process id as soon as it is
 * prepared; calls `replaced` when it has taken over, `kept` when it has not and this process goes
 * on.
 *
 * @throws Error with a sentence if there is no successor; nothing has changed then.
 */
async function handOver(
  relay: Relay,
  log: ProcessLog,
  manager: ServiceManager,
  replaced: () => void,
  kept: () => void,
): Promise<{ pid: number }> {
  if (process.platform !== 'linux') {
    throw new Error('a graceful restart needs Linux; stop the relay and start it again');
  }
  if (relay.holds) throw new Error(`no graceful restart now: ${relay.health().reason}`);
  const successor = Successor.start(relay.port);
  const { pid } = successor;
  log.info('starting a successor', { pid });
  try {
    await successor.prepared();
  } catch (error) {
    await successor.end();
    const why = (error as Error).message.trim().replace(/\.$/, '');
    const sentence = `the successor did not start: ${why}; this process continues`;
    log.error(sentence);
    throw new Error(sentence);
  }
  const give = async () => {
    const start = performance.now();
    await relay.release();
    try {
      await successor.takes();
    } catch (error) {
      log.error('the successor did not take over; this process continues', {
        error: String(error),
      });
      await successor.end();
      await relay.own();
      kept();
      return;
    }
    manager.mainPid(pid);
    const milliseconds = Math.round(performance.now() - start);
    log.info('a successor has taken over', { pid, milliseconds });
    replaced();
  };
  // The caller on the control socket gets the answer before the admin worker closes.
  setTimeout(() => void give(), ANSWER_MILLISECONDS);
  return { pid };
}

/** Returns the state of the relay for the service manager. */
function vital(relay: Relay): Vital {
  const { healthy, alive, reason } = relay.health();
  const { connections, connectionsTotal } = relay.counters;
  const clients = `${connections} connections, ${connectionsTotal} since the start`;
  // The watchdog must not end a process that alone can reach what is not saved yet.
  return {
    alive: alive || relay.holds,
    status: healthy ? `port ${relay.port}: ${clients}` : `unwell: ${reason}`,
  };
}

/**
 * Reads the configuration again and reports the result in the log and to the caller.
 *
 * @throws Error with all problems of the configuration.
 */
async function reload(
  relay: Relay,
  readConfig: () => Config,
  log: ProcessLog,
  manager: ServiceManager,
): Promise<Pick<Reconfiguration, 'live' | 'waiting'>> {
  manager.reloading();
  try {
    const { config, live, waiting } = await relay.reload(readConfig());
    log.reconfigure(config.log);
    for (const { key, from, to } of live) log.info(`${key} is ${to} now`, { from });
    for (const { key, to } of waiting) {
      log.warn(`${key} cannot change while the relay runs: it becomes ${to} with a restart`);
    }
    const advice = identityAdvice(config);
    if (advice && live.some(({ key }) => CONCERNS_IDENTITY.test(key))) log.warn(advice);
    log.info('the configuration was read again', {
      changed: live.length,
      waiting: waiting.length,
      file: relay.origins.file ?? 'none',
    });
    return { live, waiting };
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [String(error)];
    for (const problem of problems) log.error(problem);
    log.error('the configuration is wrong; all settings stay as they are');
    throw new Error(`${problems.join('\n')}\nAll settings stay as they are.`);
  } finally {
    manager.ready(vital(relay).status);
  }
}

function startLine(config: Config, relay: Relay): string {
  const { host, path } = config.io;
  const authority = host.includes(':') ? `[${host}]:${relay.port}` : `${host}:${relay.port}`;
  const { name, detail } = relay.signatures;
  const workers = Object.entries(relay.workers).map(([station, count]) => `${station} ${count}`);
  const shared = threadsAreShared(config) ? ' (ingester, query and monitor share threads)' : '';
  const url = `${relay.encrypted ? 'wss' : 'ws'}://${authority}${path === '/' ? '' : path}`;
  const database = databaseFile(config.storage.directory);
  const { file, constants } = originsOf(config);
  const configuration = file === null ? 'no configuration file' : `configuration ${file}`;
  const overridden =
    constants.length === 0 ? '' : ` · for tests, WOK_CONSTANTS sets ${constants.join(', ')}`;
  return `wok ${version} listens on ${url} · ${configuration} · database ${database} · signatures by ${name} (${detail}) · workers: io 1, ${workers.join(', ')}${shared}${overridden}`;
}

/** Returns true if better-sqlite3 does not load; uWebSockets.js says by itself what to do. */
function isForeignLibrary(reason: Error): boolean {
  return isNativeLoadFailure(reason) && !(reason instanceof NativeModuleError);
}

/** Returns the sentence and the exit status for a start that has failed. */
export function startFailure(
  reason: Error,
  config: Config,
): { sentence: string; status: ExitCode } {
  // A thread that meets a damaged page, or a library of another Node.js, passes the raw error on.
  const error =
    isSqliteError(reason) || isForeignLibrary(reason)
      ? asStorageError(reason, databaseFile(config.storage.directory))
      : reason;
  return { sentence: error.message, status: startStatus(error) };
}

function startStatus(error: Error): ExitCode {
  if (error.name === 'CertificateError') return exitCodes.config;
  if (error instanceof NativeModuleError || error instanceof ListenError) {
    return exitCodes.unavailable;
  }
  // The error of a policy module that cannot be loaded; the other options are checked before.
  if (error.name === 'ConfigError') return exitCodes.config;
  return storageExitCode(error) ?? exitCodes.crash;
}
