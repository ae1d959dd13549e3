// Installation and removal of wok as a systemd service (`wok service`): user, directories,
// configuration and unit.

import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultConfig } from '../config/options.ts';
import { printConfig } from '../config/print.ts';
import { makeDirectory } from '../lib/make-directory.ts';
import { packageRoot } from '../paths.ts';

/** Paths and user name of an installed service. */
export const places = {
  unit: '/etc/systemd/system/wok.service',
  config: '/etc/wok/relay.conf',
  data: '/var/lib/wok',
  user: 'wok',
} as const;

/** Access to the system that an installation needs. */
export interface System {
  /** Prefix of every path: '' for this system, or a directory to put everything under. */
  readonly root: string;
  /**
   * Runs a program.
   *
   * @throws CommandError when it fails.
   */
  run(program: string, ...args: string[]): void;
  /** Returns true if the program succeeds; its output is dropped. */
  succeeds(program: string, ...args: string[]): boolean;
  say(line: string): void;
}

/** Error about a system on which wok cannot be installed as it is; the message is a sentence. */
export class InstallError extends Error {
  override name = 'InstallError';
}

/** Returns the unit file with the paths of this machine instead of /usr/bin/wok. */
export function unitText(
  node = process.execPath,
  wok = join(packageRoot, 'dist/src/wok.js'),
): string {
  const text = readFileSync(join(packageRoot, 'deploy/systemd/wok.service'), 'utf8');
  const documentation = pathToFileURL(join(packageRoot, 'docs/operations.md')).href;
  return text
    .replaceAll('/usr/bin/wok', `${quoted(node)} ${quoted(wok)}`)
    .replace('file:///usr/lib/wok/docs/operations.md', documentation.replaceAll('%', '%%'));
}

/** Returns a path quoted as a word of a unit file (systemd.syntax(7)). */
function quoted(path: string): string {
  const escaped = path.replace(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\]/.test(path) ? `"${escaped}"` : escaped;
}

/**
 * Installs user, directories, configuration and unit. Existing parts are kept, except for the unit.
 */
export function install(system: System, start: boolean): void {
  const { root } = system;
  if (root === '') for (const path of [process.execPath, packageRoot]) checkReadable(path);
  if (root === '' && !system.succeeds('getent', 'passwd', places.user)) {
    const shell = existsSync('/usr/sbin/nologin') ? '/usr/sbin/nologin' : '/bin/false';
    const home = ['--home-dir', places.data, '--no-create-home'];
    system.run('useradd', '--system', '--user-group', ...home, '--shell', shell, places.user);
    system.say(`created the user ${places.user}`);
  }
  const config = root + places.config;
  if (existsSync(config)) system.say(`kept ${config} unchanged`);
  else {
    write(config, printConfig(withData()), 0o640);
    system.say(`wrote ${config}: the defaults, with the database in ${places.data}`);
  }
  makeDirectory(root + places.data, 0o750);
  if (root === '') {
    system.run('chown', '-R', `root:${places.user}`, dirname(places.config));
    system.run('chown', `${places.user}:${places.user}`, places.data);
  }
  write(root + places.unit, unitText(), 0o644);
  system.say(`wrote ${root}${places.unit}`);
  if (root !== '') return;
  const now = start && systemdRuns();
  if (systemdRuns()) system.run('systemctl', 'daemon-reload');
  system.run('systemctl', 'enable', ...(now ? ['--now'] : []), 'wok.service');
  if (now) system.say('the relay runs; see systemctl status wok');
  else system.say('it is enabled at boot');
}

/**
 * Stops the service and removes the unit; `purge` also removes the configuration, the database and
 * the user.
 */
export function uninstall(system: System, purge: boolean): void {
  const { root } = system;
  const reachable = root === '' && systemdRuns();
  if (root === '' && existsSync(places.unit))
    system.run('systemctl', 'disable', ...(reachable ? ['--now'] : []), 'wok.service');
  rmSync(root + places.unit, { force: true });
  if (reachable) system.run('systemctl', 'daemon-reload');
  system.say(`removed ${root}${places.unit}`);
  if (!purge) {
    system.say(
      `${root}${places.config} and ${root}${places.data} are still there (--purge removes them)`,
    );
    return;
  }
  for (const path of [dirname(places.config), places.data]) {
    rmSync(root + path, { recursive: true, force: true });
    system.say(`removed ${root}${path}`);
  }
  if (root === '' && system.succeeds('getent', 'passwd', places.user)) {
    system.run('userdel', places.user);
  }
}

/**
 * Returns false where a system image is being built, as in a chroot (sd_booted(3)): no service can
 * be started there.
 */
function systemdRuns(): boolean {
  return existsSync('/run/systemd/system');
}

function withData() {
  return { ...defaultConfig, storage: { ...defaultConfig.storage, directory: places.data } };
}

function write(file: string, text: string, mode: number): void {
  makeDirectory(dirname(file), 0o755);
  writeFileSync(file, text, { mode });
  chmodSync(file, mode);
}

/**
 * Checks that a path is readable and lies outside home directories, in which the user of the
 * service could not read Node.js and wok.
 *
 * @throws InstallError if the path lies in a home directory.
 */
function checkReadable(path: string): void {
  const real = realpathSync(path);
  accessSync(real, constants.R_OK);
  const home = /^\/(root|home)\//.exec(`${real}/`)?.[0];
  if (home === undefined) return;
  throw new InstallError(
    `${real} lies in ${home}, which a system service may not read. Install Node.js system-wide (for instance from nodesource) and wok with sudo npm install -g, then try again.`,
  );
}
