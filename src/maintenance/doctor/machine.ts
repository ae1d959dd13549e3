// Checks of `wok doctor` on the machine: file modes, disk, process limits, kernel settings, clock,
// and the native packages of this Node.js.

import { execFileSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config/options.ts';
import { formatBytes, formatCount } from '../../lib/format.ts';
import { loadUws, type NativeTarget, uwsProblem } from '../../lib/uws.ts';
import type { SignatureBackendName } from '../../protocol/signature/backend.ts';
import { databaseFile } from '../../store/database/open.ts';
import { LEFTOVERS } from './database.ts';
import { type Finding, findings } from './finding.ts';

/**
 * File systems on which SQLite's locks and shared memory do not work, by the type that statfs
 * returns.
 */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
]);
const TMPFS = 0x01021994;
/**
 * File descriptors needed beside those of connections: for the database, the threads, and requests
 * in progress, upgrades included (`io/descriptor-limit.ts`).
 */
const DESCRIPTORS_BESIDE = 400;
/** Day of this release, in seconds since 1970. A clock before it has not been set. */
const RELEASED_SECONDS = 1_760_000_000;

/** Access to the machine that the checks need; tests pass their own files. */
export interface Machine {
  /** Returns the text of a file below /proc or /run, or null if there is none. */
  read: (file: string) => string | null;
  nowSeconds: number;
}

/** Returns the machine that this process runs on. */
export const thisMachine = (): Machine => ({
  read: (file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return null;
    }
  },
  nowSeconds: Math.floor(Date.now() / 1000),
});

/**
 * Examines what surrounds the database: files, disk, process, kernel, clock.
 *
 * @param pid process id of the running relay, or null.
 */
export function examineMachine(config: Config, machine: Machine, pid: number | null): Finding[] {
  return [
    ...fileFindings(config.storage.directory),
    ...diskFindings(config.storage.directory),
    ...processFindings(config, machine, pid),
    ...kernelFindings(config, machine),
    ...clockFindings(config, machine),
  ];
}

function fileFindings(directory: string): Finding[] {
  const { made, ok, warn, bad } = findings('files');
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const shared = names.filter(
    (name) =>
      /^wok\.(db|sock|lock)|secret|\.key$/.test(name) &&
      (statSync(join(directory, name)).mode & 0o007) !== 0,
  );
  // Permission to enter the directory is enough for a user who knows the name of a file.
  const open = (statSync(directory).mode & 0o001) !== 0;
  if (shared.length > 0 && open) {
    const paths = [directory, ...shared.map((name) => join(directory, name))];
    warn(
      'mode',
      'All users of this machine may read the database, including private messages.',
      `chmod o-rwx ${paths.map(quoted).join(' ')}`,
    );
  } else ok('mode', 'Other users of this machine cannot read the database.');
  const strangers = names
    .filter((name) => /^wok\.(db|lock)/.test(name))
    .filter((name) => {
      try {
        accessSync(join(directory, name), constants.R_OK | constants.W_OK);
        return false;
      } catch {
        return true;
      }
    });
  if (strangers.length > 0) {
    bad(
      'owner',
      `This user may not write ${strangers.join(', ')}.`,
      'Run wok as the user of the relay, or give this user the files (chown).',
    );
  }
  const owners = new Set(
    names
      .filter((name) => /^wok\.(db|lock)/.test(name))
      .map((name) => statSync(join(directory, name)).uid),
  );
  if (owners.size > 1) {
    bad(
      'owner',
      'The files of the database belong to different users.',
      `chown -R them to the user of the relay: ${directory}`,
    );
  }
  const left = names.filter((name) => LEFTOVERS.test(name));
  if (left.length > 0) {
    warn(
      'leftovers',
      `${left.join(', ')} is left over from an interrupted command.`,
      'Remove it while no wok backup, restore or doctor runs.',
    );
  }
  return made;
}

/** Returns a path quoted as one word for the shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

function diskFindings(directory: string): Finding[] {
  const { made, ok, warn, bad } = findings('disk');
  const { bavail, bsize, blocks, files, ffree, type } = statfsSync(directory);
  const free = bavail * bsize;
  const total = blocks * bsize;
  const file = databaseFile(directory);
  const size = existsSync(file) ? statSync(file).size : 0;
  const text = `${formatBytes(free)} of ${formatBytes(total)} are free.`;
  const advice =
    'Free some space or move the database; wok delete --age and retention keep it small. New events are refused while the disk is full.';
  if (free < Math.min(1e9, total * 0.05)) bad('space', text, advice);
  else if (free < Math.max(total * 0.1, Math.min(size, 10e9))) warn('space', text, advice);
  else ok('space', text);
  if (files > 0 && ffree < files * 0.02) {
    warn(
      'inodes',
      `${formatCount(ffree)} of ${formatCount(files)} inodes are free.`,
      'Remove small files from this file system.',
    );
  }
  const network = NETWORK_FILE_SYSTEMS.get(type);
  if (type === TMPFS) {
    warn(
      'file-system',
      'The database is in memory (tmpfs) and is lost at a reboot.',
      'Set storage.directory to a directory on a disk.',
    );
  } else if (network !== undefined) {
    bad(
      'file-system',
      `The database is on ${network}, where locks and shared memory of SQLite are not reliable.`,
      'Move it to a local disk.',
    );
  }
  return made;
}

function processFindings(config: Config, { read }: Machine, pid: number | null): Finding[] {
  const { made, ok, warn, bad, note } = findings('process');
  const limits = read(`/proc/${pid ?? 'self'}/limits`);
  const whose = pid === null ? 'A relay started from this shell' : `The relay (process ${pid})`;
  const descriptors = limits && /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  const wanted = config.io.connections_max + DESCRIPTORS_BESIDE;
  if (descriptors) {
    const most = descriptors === 'unlimited' ? Number.POSITIVE_INFINITY : Number(descriptors);
    const text = `${whose} may open ${descriptors} files; ${formatCount(config.io.connections_max)} connections need ${formatCount(wanted)}.`;
    if (most < wanted) {
      warn(
        'descriptors',
        text,
        `Set LimitNOFILE=${wanted} in the unit (or ulimit -n ${wanted}), or lower io.connections_max.`,
      );
    } else ok('descriptors', text);
  }
  if (pid !== null) {
    try {
      const open = readdirSync(`/proc/${pid}/fd`).length;
      ok('open', `${formatCount(open)} files are open.`);
    } catch {
      note('open', 'Only its own user can see how many files it has open.');
    }
  }
  const core = totalmem();
  const caches = config.storage.cache_mib * 1024 * 1024 * (2 + availableParallelism());
  if (caches > core / 2) {
    bad(
      'memory',
      `storage.cache_mib allows ${formatBytes(caches)} of page cache, of ${formatBytes(core)} memory.`,
      'Lower storage.cache_mib.',
    );
  }
  return made;
}

interface KernelSetting {
  key: string;
  wrong: (value: number) => boolean;
  advice: string;
}

function kernelSettings({ io }: Config): KernelSetting[] {
  return [
    {
      key: 'net.core.somaxconn',
      wrong: (n) => n < 1024,
      advice: 'sysctl net.core.somaxconn=4096: many simultaneous connection attempts are refused.',
    },
    {
      key: 'net.ipv4.tcp_max_syn_backlog',
      wrong: (n) => n < 1024,
      advice: 'sysctl net.ipv4.tcp_max_syn_backlog=4096',
    },
    {
      key: 'vm.swappiness',
      wrong: (n) => n > 60,
      advice:
        'sysctl vm.swappiness=10: keeps the memory of the relay from being swapped out for page cache.',
    },
    {
      key: 'vm.overcommit_memory',
      wrong: (n) => n === 2,
      advice: 'sysctl vm.overcommit_memory=0: Node.js reserves more memory than it uses.',
    },
    {
      key: 'fs.file-max',
      wrong: (n) => n < io.connections_max * 2,
      advice: `sysctl fs.file-max=${io.connections_max * 4}`,
    },
    {
      key: 'fs.nr_open',
      wrong: (n) => n < io.connections_max + DESCRIPTORS_BESIDE,
      advice: `sysctl fs.nr_open=${io.connections_max * 2}`,
    },
  ];
}

function kernelFindings(config: Config, { read }: Machine): Finding[] {
  const { made, ok, warn, note } = findings('kernel');
  let right = 0;
  for (const { key, wrong, advice } of kernelSettings(config)) {
    const text = read(`/proc/sys/${key.replaceAll('.', '/')}`);
    if (text === null) continue;
    const value = Number(text);
    if (wrong(value)) warn(key, `${key} is ${value}.`, advice);
    else right++;
  }
  ok('settings', `${right} settings are ok.`);
  const range = read('/proc/sys/net/ipv4/ip_local_port_range')?.trim().split(/\s+/).map(Number);
  if (range && range[1]! - range[0]! < config.io.connections_max) {
    note(
      'ports',
      `A proxy on this machine has ${formatCount(range[1]! - range[0]!)} local ports, fewer than io.connections_max.`,
      'sysctl net.ipv4.ip_local_port_range="1024 65535"',
    );
  }
  return made;
}

function clockFindings(config: Config, { read, nowSeconds }: Machine): Finding[] {
  const { made, ok, warn, bad } = findings('clock');
  const advice =
    'Set it, and synchronize it with systemd-timesyncd or chrony: created_at of events is checked against it.';
  if (nowSeconds < RELEASED_SECONDS) {
    bad(
      'time',
      `The clock says ${new Date(nowSeconds * 1000).toISOString()}, which is in the past.`,
      advice,
    );
    return made;
  }
  const file = databaseFile(config.storage.directory);
  const written = [file, `${file}-wal`]
    .filter(existsSync)
    .map((one) => statSync(one).mtimeMs / 1000);
  const ahead = Math.max(0, ...written) - nowSeconds;
  if (ahead > 60) {
    bad(
      'backwards',
      `The database was written ${formatCount(Math.round(ahead))} seconds in the future: the clock was set back.`,
      advice,
    );
  } else ok('backwards', 'The clock was not set back since the last write to the database.');
  const synchronized = isSynchronized(read);
  if (synchronized === true) ok('synchronized', 'The clock is synchronized.');
  else if (synchronized === false)
    warn('synchronized', 'The clock is not synchronized with a time server.', advice);
  return made;
}

/** Returns what systemd reports about clock synchronization; null if it reports nothing. */
function isSynchronized(read: Machine['read']): boolean | null {
  if (read('/run/systemd/timesync/synchronized') !== null) return true;
  try {
    const said = execFileSync('timedatectl', ['show', '-p', 'NTPSynchronized', '--value'], {
      encoding: 'utf8',
      timeout: 2_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return said.trim() === '' ? null : said.trim() === 'yes';
  } catch {
    return null;
  }
}

/** Checks that uWebSockets.js, and with it the relay, can run with this Node.js on this system. */
export function engineFinding(target: NativeTarget, load: () => unknown = loadUws): Finding {
  const { made, ok, bad } = findings('process');
  const system = target.glibc === null ? target.platform : `glibc ${target.glibc}`;
  const problem = uwsProblem(target);
  if (problem !== null) bad('node', problem.problem, problem.advice);
  else {
    try {
      load();
      ok('node', `uWebSockets.js runs with Node.js ${target.node} and ${system}.`);
    } catch (error) {
      bad('node', (error as Error).message);
    }
  }
  return made[0]!;
}

/** Reports the signature backend in use. */
export function signatureFinding(name: SignatureBackendName, detail: string): Finding {
  const { made, ok, note, warn } = findings('process');
  const text = `Signatures are verified by ${name} (${detail}).`;
  const advice =
    'sudo sh deploy/install-system-packages.sh installs libsecp256k1, which is faster.';
  if (name === 'libsecp256k1') ok('signatures', text);
  else if (name === 'noble') warn('signatures', text, advice);
  else note('signatures', text, advice);
  return made[0]!;
}
