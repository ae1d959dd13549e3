// Notifications to systemd (sd_notify(3)): readiness, status line and watchdog. Its timer runs on
// the main thread.

import { spawn } from 'node:child_process';
import { type Libc, libc } from './libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0x80002;
/** Size of a path in the kernel's `struct sockaddr_un`. */
const PATH_BYTES_MAX = 108;
/** Interval of updates of the status line, when the watchdog does not need shorter ones. */
const STATUS_MILLISECONDS = 10_000;
/** Number of pings within the time-out of the watchdog. */
const PINGS_A_PERIOD = 3;

type Environment = Readonly<Record<string, string | undefined>>;
type Send = (text: string) => void;

/** State that is reported to the service manager periodically. */
export interface Vital {
  /** True if every station answers; a restart can cure the opposite. */
  alive: boolean;
  /** Status line for `systemctl status`. */
  status: string;
}

/**
 * Client of systemd's notification protocol (sd_notify(3)). Reports that the relay is ready, its
 * status, and, if the unit has a watchdog, that every station answers; when one does not, the
 * watchdog gets no ping. Without systemd it does nothing.
 *
 * Node.js has no Unix datagrams: they are sent through the C library, else by the program
 * systemd-notify.
 */
export class ServiceManager {
  /** Time-out of the watchdog, in milliseconds; 0: there is none. */
  readonly watchdogMilliseconds: number;
  readonly #send: Send | null;
  #timer: NodeJS.Timeout | null = null;
  #status = '';

  constructor(env: Environment, send: Send | null = sender(env.NOTIFY_SOCKET, libc())) {
    this.#send = send;
    const mine = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid;
    this.watchdogMilliseconds = mine ? Math.floor(Number(env.WATCHDOG_USEC ?? 0) / 1000) : 0;
  }

  /** True if there is a service manager. */
  get present(): boolean {
    return this.#send !== null;
  }

  /** Reports that the relay takes connections; also at the end of a reload. */
  ready(status: string): void {
    this.#tell('READY=1', this.#line(status));
  }

  status(status: string): void {
    const line = this.#line(status);
    this.#tell(line);
  }

  reloading(): void {
    const microseconds = process.hrtime.bigint() / 1000n;
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${microseconds}`, this.#line('reloading'));
  }

  stopping(status: string): void {
    this.rest();
    this.#tell('STOPPING=1', this.#line(status));
  }

  /** Reports that another process is the service from now on. */
  mainPid(pid: number): void {
    this.rest();
    // The watchdog is pinged once more, because the other process may take a while until its first
    // ping.
    this.#tell(`MAINPID=${pid}`, 'WATCHDOG=1');
  }

  /**
   * Pings the watchdog while the relay is alive, and keeps the status line up to date, until
   * `rest`.
   */
  watch(vital: () => Vital): void {
    if (!this.present) return;
    this.rest();
    const often = this.watchdogMilliseconds / PINGS_A_PERIOD || STATUS_MILLISECONDS;
    const look = () => {
      const { alive, status } = vital();
      if (alive && this.watchdogMilliseconds > 0) this.#tell('WATCHDOG=1');
      if (status !== this.#status) this.status(status);
    };
    this.#timer = setInterval(look, Math.min(often, STATUS_MILLISECONDS));
    this.#timer.unref();
    look();
  }

  rest(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  #line(status: string): string {
    this.#status = status;
    return `STATUS=${status.replaceAll('\n', ' ')}`;
  }

  #tell(...lines: string[]): void {
    this.#send?.(lines.join('\n'));
  }
}

/**
 * Returns a function that sends to the socket that systemd has named: `/run/…`, or `@…` for an
 * abstract one. Null if there is none.
 */
export function sender(socket: string | undefined, c: Libc | null): Send | null {
  if (socket === undefined || !/^[/@]/.test(socket)) return null;
  return c === null ? byProgram(socket) : byDatagram(socket, c);
}

function byDatagram(socket: string, c: Libc): Send | null {
  const path = Buffer.from(socket);
  if (path.length >= PATH_BYTES_MAX) return null;
  if (socket.startsWith('@')) path[0] = 0;
  const address = Buffer.alloc(2 + path.length);
  address.writeUInt16LE(AF_UNIX, 0);
  path.copy(address, 2);
  return (text) => {
    const fd = c.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
    if (fd < 0) return;
    const bytes = Buffer.from(text);
    c.sendto(fd, bytes, bytes.length, 0, address, address.length);
    c.close(fd);
  };
}

function byProgram(socket: string): Send {
  return (text) => {
    const child = spawn('systemd-notify', text.split('\n'), {
      env: { ...process.env, NOTIFY_SOCKET: socket },
      stdio: 'ignore',
    });
    child.on('error', () => {});
    child.unref();
  };
}
